import Foundation
import GRDB
import Storage
import Testing

@Suite("Purging")
struct PurgeTests {
    private let marker = "Astrid asks about the harbour"

    /// Marked texts between lasting ones, so that deleting leaves gaps in pages that live on.
    private func plant(in store: SQLiteStore) async throws {
        try await store.write { [marker] transaction in
            for number in 0..<2000 {
                let text = number.isMultiple(of: 3) ? "\(marker) \(number)" : "lasting \(number)"
                try transaction.addNote(text + String(repeating: "-", count: number % 200))
            }
        }
    }

    /// Names of files with the marker in them: as it is, in UTF-16, or in other case.
    private func filesWithMarker(in folder: TemporaryFolder) throws -> Set<String> {
        let forms =
            [marker, marker.uppercased(), marker.lowercased()].map { Data($0.utf8) }
            + [marker.data(using: .utf16LittleEndian), marker.data(using: .utf16BigEndian)].compactMap(\.self)
        let files = try folder.allBytes().filter { file in forms.contains { file.value.range(of: $0) != nil } }
        return Set(files.keys)
    }

    @Test("after it no deleted text is in any file of the folder")
    func erases() async throws {
        try await withStore { store, folder in
            try await plant(in: store)
            #expect(try filesWithMarker(in: folder).contains("store/notes.sqlite-wal"), "the text was there to find")
            try await store.purge()
            #expect(try filesWithMarker(in: folder) == ["store/notes.sqlite"], "what lives is kept")

            try await store.write { [marker] transaction in
                try transaction.db.execute(sql: "DELETE FROM note WHERE text LIKE ?", arguments: ["\(marker)%"])
            }
            #expect(try !filesWithMarker(in: folder).isEmpty, "deleting alone is not enough")
            try await store.purge()
            #expect(try filesWithMarker(in: folder).isEmpty)
            let log = try folder.allBytes()["store/notes.sqlite-wal"]
            #expect(log?.isEmpty ?? true)
            #expect(try await store.notes().count == 1333)
        }
    }

    @Test("it leaves nothing either when writes and reads go on beside it")
    func erasesUnderLoad() async throws {
        try await withStore { store, folder in
            try await plant(in: store)
            _ = try await store.notes()
            try await store.write { transaction in
                try transaction.db.execute(sql: "DELETE FROM note WHERE text NOT LIKE 'lasting%'")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<200 { try await store.addNote("beside \(number)") }
                }
                group.addTask {
                    for _ in 0..<50 { _ = try await store.notes() }
                }
                group.addTask { try await store.purge() }
                try await group.waitForAll()
            }
            #expect(try filesWithMarker(in: folder).isEmpty)
            #expect(try await store.notes().count == 1533)
        }
    }

    @Test("it waits for a reader that still sees what was deleted")
    func waitsForReaders() async throws {
        var configuration = SQLiteStore.Configuration()
        configuration.busyTimeout = .milliseconds(20)
        configuration.truncationAttempts = 1000
        try await withStore(configuration) { store, folder in
            try await plant(in: store)
            let gate = Gate()
            let reader = Task {
                try await store.read { db in
                    let before = try Int.fetchOne(db, sql: "SELECT count(*) FROM note")
                    gate.arriveAndWait()
                    return (before, try Int.fetchOne(db, sql: "SELECT count(*) FROM note"))
                }
            }
            await gate.arrival()
            try await store.write { transaction in try transaction.db.execute(sql: "DELETE FROM note") }
            let purge = Task { try await store.purge() }
            // A write gets its turn while the purge waits: nobody is locked out.
            try await store.addNote("beside")
            gate.open()
            #expect(try await reader.value == (2000, 2000))
            try await purge.value
            #expect(try filesWithMarker(in: folder).isEmpty)
        }
    }

    @Test("many that ask at the same time share a rewriting that begins after they asked")
    func shares() async throws {
        try await withStore { store, folder in
            try await plant(in: store)
            let begun = Recorder<Int>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.holdingWriter {
                    for number in 0..<20 {
                        group.addTask {
                            begun.append(number)
                            try await store.purge()
                        }
                    }
                    try await eventually { begun.all.count == 20 }
                }
                try await group.waitForAll()
            }
            #expect(store.statistics.rewritings <= 5)

            let before = store.statistics.rewritings
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<10 {
                    group.addTask { [marker] in
                        try await store.write { transaction in
                            try transaction.db.execute(
                                sql: "DELETE FROM note WHERE text LIKE ? AND id % 10 = ?",
                                arguments: ["\(marker)%", number])
                        }
                        try await store.purge()
                    }
                }
                try await group.waitForAll()
            }
            #expect(store.statistics.rewritings > before)
            #expect(try filesWithMarker(in: folder).isEmpty)
        }
    }

    @Test("it says so when a reader never lets go")
    func givesUp() async throws {
        var configuration = SQLiteStore.Configuration()
        configuration.busyTimeout = .milliseconds(5)
        configuration.truncationAttempts = 3
        try await withStore(configuration) { store, _ in
            try await plant(in: store)
            let gate = Gate()
            let reader = Task {
                try await store.read { db in
                    _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM note")
                    gate.arriveAndWait()
                }
            }
            await gate.arrival()
            try await store.addNote("after the reader's snapshot")
            let error = await #expect(throws: StorageError.self) { try await store.purge() }
            #expect(error?.code == .busy)
            gate.open()
            try await reader.value
            try await store.purge()
        }
    }
}
