import GRDB
import Storage
import Testing

/// Counts what SQLite itself commits, by its commit hook.
private final class CommitCounter: TransactionObserver, Sendable {
    let commits = Recorder<Void>()

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseDidCommit(_ db: Database) { commits.append(()) }
    func databaseDidRollback(_ db: Database) {}
}

private struct Refusal: Error, Equatable {
    var number: Int
}

@Suite("Group commit")
struct GroupCommitTests {
    @Test("writes that wait at the same time share a commit, and each is there afterwards")
    func groups() async throws {
        try await withStore { store, _ in
            let counter = CommitCounter()
            try await store.write { transaction in
                transaction.db.add(transactionObserver: counter, extent: .databaseLifetime)
            }
            let before = counter.commits.all.count
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.holdingWriter {
                    for number in 0..<1000 {
                        group.addTask { try await store.addNote("note \(number)") }
                    }
                    try await eventually { store.waitingWrites == 1000 }
                }
                try await group.waitForAll()
            }
            let commits = counter.commits.all.count - before
            #expect(commits == 3, "the held write, 512 and 488")
            #expect(store.statistics.largestGroup == 512)
            #expect(try await store.notes().count == 1000)
        }
    }

    @Test("a write is visible to a reader as soon as it has returned")
    func readYourWrites() async throws {
        try await withStore { store, _ in
            for number in 0..<50 {
                try await store.addNote("note \(number)")
                #expect(try await store.notes().count == number + 1)
            }
        }
    }

    @Test("a body that throws loses its own changes alone, and its caller gets its error")
    func isolation() async throws {
        try await withStore { store, _ in
            let results = Recorder<Result<Void, Refusal>>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.holdingWriter {
                    for number in 0..<100 {
                        group.addTask {
                            do {
                                try await store.write { transaction in
                                    try transaction.addNote("note \(number)")
                                    if number.isMultiple(of: 7) { throw Refusal(number: number) }
                                }
                                results.append(.success(()))
                            } catch let refusal as Refusal {
                                results.append(.failure(refusal))
                            }
                        }
                    }
                    try await eventually { store.waitingWrites == 100 }
                }
                try await group.waitForAll()
            }
            #expect(store.statistics.commits == 2, "the held write and one group")
            let refused = results.all.compactMap { if case .failure(let refusal) = $0 { refusal.number } else { nil } }
            #expect(refused.sorted() == Array(stride(from: 0, to: 100, by: 7)))
            let expected = (0..<100).filter { !$0.isMultiple(of: 7) }.map { "note \($0)" }
            #expect(try await store.notes().sorted() == expected.sorted())
        }
    }

    @Test("a lone body that throws leaves nothing behind")
    func loneFailure() async throws {
        try await withStore { store, _ in
            await #expect(throws: Refusal(number: 1)) {
                try await store.write { transaction in
                    try transaction.addNote("never")
                    throw Refusal(number: 1)
                }
            }
            let notes = try await store.notes()
            #expect(notes.isEmpty)
            #expect(store.statistics.commits == 0)
        }
    }

    @Test("a violated constraint reaches the caller as the database's own error, without the value")
    func constraint() async throws {
        try await withStore { store, _ in
            try await store.addNote("Astrid")
            let error = await #expect(throws: DatabaseError.self) { try await store.addNote("Astrid") }
            #expect(error?.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE)
            #expect(error.map { !"\($0)".contains("Astrid") } == true)
        }
    }

    @Test("actions run in the order of the bodies, after the commit and before write returns")
    func actionOrder() async throws {
        try await withStore { store, _ in
            let bodies = Recorder<Int>()
            let actions = Recorder<Int>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.holdingWriter {
                    for number in 0..<200 {
                        group.addTask {
                            do {
                                try await store.write { transaction in
                                    transaction.onCommit { actions.append(number) }
                                    if number.isMultiple(of: 10) { throw Refusal(number: number) }
                                    bodies.append(number)
                                    #expect(actions.all.isEmpty, "no action before the group's commit")
                                }
                                #expect(actions.all.contains(number))
                            } catch is Refusal {
                            }
                        }
                    }
                    try await eventually { store.waitingWrites == 200 }
                }
                try await group.waitForAll()
            }
            #expect(actions.all == bodies.all)
            #expect(actions.all.count == 180)
        }
    }

    @Test("a commit that fails fails everyone in the group, runs no action and writes nothing")
    func failedCommit() async throws {
        try await withStore { store, _ in
            try await store.write { transaction in
                try transaction.db.execute(
                    sql: """
                        CREATE TABLE parent (id INTEGER PRIMARY KEY);
                        CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)
                        """)
            }
            let errors = Recorder<StorageError>()
            let actions = Recorder<Int>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.holdingWriter {
                    for number in 0..<20 {
                        group.addTask {
                            do {
                                try await store.write { transaction in
                                    transaction.onCommit { actions.append(number) }
                                    try transaction.addNote("note \(number)")
                                    // Found out at COMMIT only, as an error of the disk would be.
                                    try transaction.db.execute(sql: "INSERT INTO child VALUES (1)")
                                }
                            } catch let error as StorageError {
                                errors.append(error)
                            }
                        }
                    }
                    try await eventually { store.waitingWrites == 20 }
                }
                try await group.waitForAll()
            }
            #expect(errors.all.count == 20)
            #expect(errors.all.allSatisfy { $0.sqliteCode == ResultCode.SQLITE_CONSTRAINT_FOREIGNKEY.rawValue })
            #expect(actions.all.isEmpty)
            #expect(try await store.notes().isEmpty)
            try await store.addNote("the store works on")
        }
    }

    @Test("a body that ends the transaction itself fails the group instead of losing writes silently")
    func bodyEndsTransaction() async throws {
        try await withStore { store, _ in
            await #expect(throws: StorageError.self) {
                try await store.write { transaction in try transaction.db.execute(sql: "ROLLBACK") }
            }
            try await store.addNote("the store works on")
            #expect(try await store.notes().count == 1)
        }
    }

    @Test("a full disk is an error with its code, and everyone who was told OK is there")
    func full() async throws {
        try await withStore { store, _ in
            try await store.write { transaction in
                try transaction.db.execute(sql: "PRAGMA max_page_count = 40")
            }
            let written = Recorder<String>()
            let errors = Recorder<StorageError>()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let text = "\(number) " + String(repeating: "x", count: 2000)
                        do {
                            try await store.addNote(text)
                            written.append(text)
                        } catch {
                            if let error = error as? StorageError { errors.append(error) }
                        }
                    }
                }
            }
            #expect(!errors.all.isEmpty && errors.all.allSatisfy { $0.code == .full })
            #expect(written.all.count + errors.all.count == 200)
            #expect(try await store.notes().sorted() == written.all.sorted())
        }
    }
}
