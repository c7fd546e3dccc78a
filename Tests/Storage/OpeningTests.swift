import Foundation
import GRDB
import Storage
import Testing

@Suite("Opening a store")
struct OpeningTests {
    @Test("the second opener of a file is refused until the first has closed it")
    func secondOpener() async throws {
        try await withStore { store, folder in
            let error = #expect(throws: StorageError.self) {
                try SQLiteStore(path: folder.database, migrator: notesMigrator())
            }
            #expect(error?.code == .locked)
            try await store.addNote("the first works on")
            await store.close()
            let second = try SQLiteStore(path: folder.database, migrator: notesMigrator())
            #expect(try await second.notes() == ["the first works on"])
            await second.close()
        }
    }

    @Test("another process that holds the lock keeps the store from opening")
    func otherProcess() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/store", withIntermediateDirectories: true)
        let holder = Process()
        let output = Pipe()
        let input = Pipe()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        holder.arguments = [folder.database + ".lock", "/bin/sh", "-c", "echo held; read line"]
        holder.standardOutput = output
        holder.standardInput = input
        try holder.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        let error = #expect(throws: StorageError.self) {
            try SQLiteStore(path: folder.database, migrator: notesMigrator())
        }
        #expect(error?.code == .locked)
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        let store = try SQLiteStore(path: folder.database, migrator: notesMigrator())
        await store.close()
    }

    @Test("a file of a newer version is refused and left as it is")
    func newerSchema() async throws {
        let folder = try TemporaryFolder()
        let newer = try SQLiteStore(path: folder.database, migrator: notesMigrator(upTo: 2))
        try await newer.addNote("from the future")
        await newer.close()
        let error = #expect(throws: StorageError.self) {
            try SQLiteStore(path: folder.database, migrator: notesMigrator())
        }
        #expect(error?.code == .newerSchema)
        let again = try SQLiteStore(path: folder.database, migrator: notesMigrator(upTo: 2))
        #expect(try await again.notes() == ["from the future"])
        await again.close()
    }

    @Test("a file of an older version is brought up to date and keeps its content")
    func olderSchema() async throws {
        let folder = try TemporaryFolder()
        let older = try SQLiteStore(path: folder.database, migrator: notesMigrator())
        try await older.addNote("from the past")
        await older.close()
        let store = try SQLiteStore(path: folder.database, migrator: notesMigrator(upTo: 2))
        let authors = try await store.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM note WHERE author IS NULL")
        }
        #expect(authors == 1)
        await store.close()
    }

    @Test("a file that is no database is refused as damaged")
    func notADatabase() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/store", withIntermediateDirectories: true)
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: folder.database))
        let error = #expect(throws: StorageError.self) {
            try SQLiteStore(path: folder.database, migrator: notesMigrator())
        }
        #expect(error?.code == .corrupt)
    }

    @Test("folder and files are their owner's alone")
    func modes() async throws {
        try await withStore { store, folder in
            try await store.addNote("private")
            _ = try await store.notes()
            let mode = { (path: String) in
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            #expect(try mode(folder.path + "/store") == 0o700)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/store").sorted()
            #expect(names == ["notes.sqlite", "notes.sqlite-shm", "notes.sqlite-wal", "notes.sqlite.lock"])
            for name in names {
                #expect(try mode(folder.path + "/store/" + name) == 0o600, "\(name)")
            }
        }
    }

    @Test("the writer waits for the disk and wipes what it deletes")
    func writerSettings() async throws {
        try await withStore { store, _ in
            let settings = try await store.write { transaction in
                try ["journal_mode", "synchronous", "secure_delete", "foreign_keys", "trusted_schema", "temp_store"].map
                {
                    try String.fetchOne(transaction.db, sql: "PRAGMA \($0)")
                }
            }
            #expect(settings == ["wal", "2", "1", "1", "0", "2"])
        }
    }

    @Test("a reader can't write and never checkpoints")
    func readersDoNotWrite() async throws {
        try await withStore { store, _ in
            let error = await #expect(throws: StorageError.self) {
                try await store.read { db in try db.execute(sql: "INSERT INTO note (text) VALUES ('no')") }
            }
            #expect(error?.sqliteCode.map { $0 & 0xFF } == ResultCode.SQLITE_READONLY.rawValue)
            let settings = try await store.read { db in
                try ["query_only", "wal_autocheckpoint"].map { try Int.fetchOne(db, sql: "PRAGMA \($0)") }
            }
            #expect(settings == [1, 0])
            #expect(try await store.notes().isEmpty)
        }
    }

    @Test("errors of SQL say neither the statement nor its values")
    func errorsAreContentFree() async throws {
        try await withStore { store, _ in
            let error = await #expect(throws: StorageError.self) {
                try await store.write { transaction in
                    try transaction.db.execute(sql: "INSERT INTO nowhere VALUES (?)", arguments: ["Astrid"])
                }
            }
            #expect(error.map { !"\($0)".contains("Astrid") && !"\($0)".contains("nowhere") } == true)
        }
    }
}
