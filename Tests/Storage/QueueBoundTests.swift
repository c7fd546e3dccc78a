import Storage
import Testing

@Suite("The queue of writes")
struct QueueBoundTests {
    @Test("a full queue refuses at once and accepts again when there is room")
    func overload() async throws {
        var configuration = SQLiteStore.Configuration()
        configuration.writeQueueLimit = 10
        try await withStore(configuration) { store, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.holdingWriter {
                    for number in 0..<10 {
                        group.addTask { try await store.addNote("note \(number)") }
                    }
                    try await eventually { store.waitingWrites == 10 }
                    let error = await #expect(throws: StorageError.self) { try await store.addNote("one too many") }
                    #expect(error?.code == .overloaded && error?.bound == .waitingWrites)
                }
                try await group.waitForAll()
            }
            try await store.addNote("there is room again")
            #expect(try await store.notes().count == 11)
        }
    }

    @Test("one account fills three quarters of the queue at most, and others are not refused")
    func accounts() async throws {
        var configuration = SQLiteStore.Configuration()
        configuration.writeQueueLimit = 16
        try await withStore(configuration) { store, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                @Sendable func add(_ account: Int64, _ text: String) async throws {
                    try await store.write(account: account) { try $0.addNote(text) }
                }
                try await store.holdingWriter {
                    for number in 0..<12 { group.addTask { try await add(1, "\(number)") } }
                    try await eventually { store.waitingWrites == 12 }
                    let error = await #expect(throws: StorageError.self) { try await add(1, "refused") }
                    #expect(error?.code == .overloaded && error?.bound == .waitingWritesOfAccount)
                    for (number, account) in [Int64(2), 2, 3, 4].enumerated() {
                        group.addTask { try await add(account, "other \(number)") }
                    }
                    try await eventually { store.waitingWrites == 16 }
                    await #expect(throws: StorageError.self) { try await add(5, "refused") }
                }
                try await group.waitForAll()
            }
            #expect(try await store.notes().count == 16)
        }
    }

    @Test("a write that is cancelled while it waits never runs; the others do")
    func cancellation() async throws {
        try await withStore { store, _ in
            let outcome = try await store.holdingWriter {
                let first = Task { try await store.addNote("first") }
                try await eventually { store.waitingWrites == 1 }
                let cancelled = Task { try await store.addNote("cancelled") }
                try await eventually { store.waitingWrites == 2 }
                cancelled.cancel()
                let outcome = await cancelled.result
                #expect(store.waitingWrites == 1)
                return (first, outcome)
            }
            try await outcome.0.value
            #expect(throws: CancellationError.self) { try outcome.1.get() }
            #expect(try await store.notes() == ["first"])
        }
    }

    @Test("a task that is cancelled already writes nothing")
    func cancelledBefore() async throws {
        try await withStore { store, _ in
            try await store.holdingWriter {
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await store.addNote("never")
                }
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(try await store.notes().isEmpty)
        }
    }

    @Test("a write whose body has begun completes though its task is cancelled")
    func cancelledTooLate() async throws {
        try await withStore { store, _ in
            let gate = Gate()
            let task = Task {
                try await store.write { transaction in
                    gate.arriveAndWait()
                    try transaction.addNote("begun")
                }
            }
            await gate.arrival()
            task.cancel()
            gate.open()
            try await task.value
            #expect(try await store.notes() == ["begun"])
        }
    }

    @Test("closing finishes what was accepted and refuses what comes after")
    func close() async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.database, migrator: notesMigrator())
        try await withThrowingTaskGroup(of: Void.self) { group in
            let closing = try await store.holdingWriter {
                for number in 0..<700 {
                    group.addTask { try await store.addNote("note \(number)") }
                }
                try await eventually { store.waitingWrites == 700 }
                return Task { await store.close() }
            }
            try await group.waitForAll()
            await closing.value
        }
        await store.close()
        for attempt in [
            { try await store.addNote("late") }, { _ = try await store.notes() }, { try await store.purge() },
        ] as [@Sendable () async throws -> Void] {
            let error = await #expect(throws: StorageError.self) { try await attempt() }
            #expect(error?.code == .closed)
        }
        let again = try SQLiteStore(path: folder.database, migrator: notesMigrator())
        #expect(try await again.notes().count == 700)
        await again.close()
    }
}
