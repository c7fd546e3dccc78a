import Foundation
import GRDB
import Storage
import Testing

@Suite("Copying a database")
struct CopyingTests {
    @Test("gives what was committed at one moment, while writes go on, in a file that only its owner may read")
    func whileWriting() async throws {
        try await withStore { store, folder in
            let path = folder.path + "/copy.sqlite"
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for number in 0..<300 {
                        // Two rows in one transaction: a copy has both or neither.
                        try await store.write { transaction in
                            for half in ["a", "b"] {
                                try transaction.db.execute(
                                    sql: "INSERT INTO note (text) VALUES (?)", arguments: ["\(number) \(half)"])
                            }
                        }
                    }
                }
                for attempt in 0..<5 {
                    let path = "\(path)-\(attempt)"
                    try await store.read { db in try DatabaseCopy.write(db, to: path) }
                    let copy = try SQLiteStore(path: path, migrator: notesMigrator())
                    let (rows, pairs, check) = try await copy.read { db in
                        (
                            try Int.fetchOne(db, sql: "SELECT count(*) FROM note") ?? -1,
                            try Int.fetchOne(
                                db, sql: "SELECT count(DISTINCT substr(text, 1, length(text) - 2)) FROM note") ?? -1,
                            try String.fetchOne(db, sql: "PRAGMA integrity_check")
                        )
                    }
                    #expect(rows == 2 * pairs && check == "ok")
                    await copy.close()
                    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                    #expect(mode == 0o600)
                }
                try await tasks.waitForAll()
            }
            // A file that is there is not written over.
            await #expect(throws: StorageError.self) {
                try await store.read { db in try DatabaseCopy.write(db, to: path + "-0") }
            }
            let count = try await store.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM note") }
            #expect(count == 600)
        }
    }
}
