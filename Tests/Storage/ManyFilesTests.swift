import Foundation
import GRDB
import Storage
import Testing

@Suite("Many database files in a folder")
struct ManyFilesTests {
    private func inFolder(_ body: (DatabaseFolder) throws -> Void) throws {
        let folder = try TemporaryFolder()
        try body(try DatabaseFolder(folder.path + "/files"))
    }

    private func make(_ name: String, in folder: DatabaseFolder, _ texts: [String]) throws -> SQLiteFile {
        try SQLiteFile(creating: folder.path(of: name)) { db in
            try db.execute(sql: "CREATE TABLE note (text TEXT)")
            for text in texts { try db.execute(sql: "INSERT INTO note VALUES (?)", arguments: [text]) }
        }
    }

    private func texts(_ name: String, in folder: DatabaseFolder) throws -> [String] {
        let file = try SQLiteFile(path: folder.path(of: name))
        defer { file.close() }
        return try file.use { db in try String.fetchAll(db, sql: "SELECT text FROM note") }
    }

    @Test("what a file was created with is there when it is opened again; it is its owner's, and has no -shm")
    func created() throws {
        try inFolder { folder in
            let file = try make("a", in: folder, ["one"])
            let names = Set(try folder.names())
            #expect(names.contains("a") && !names.contains("a-shm"))
            for name in names {
                let mode = try FileManager.default.attributesOfItem(atPath: folder.path(of: name))[.posixPermissions]
                #expect((mode as? Int ?? 0o777) & 0o077 == 0)
            }
            file.close()
            #expect(try folder.names() == ["a"])
            #expect(try texts("a", in: folder) == ["one"])
            #expect(throws: StorageError.self) { _ = try make("a", in: folder, []) }
            #expect(try texts("a", in: folder) == ["one"])
        }
    }

    @Test("a file that is not there, or is no database, or is open elsewhere, is told apart")
    func refused() throws {
        try inFolder { folder in
            func code(_ name: String) -> StorageError.Code? {
                do {
                    _ = try SQLiteFile(path: folder.path(of: name))
                    return nil
                } catch { return error.code }
            }
            #expect(code("none") == .missing)
            try Data(repeating: 0xA5, count: 8192).write(to: URL(fileURLWithPath: folder.path(of: "noise")))
            #expect(code("noise") == .corrupt)
            let file = try make("a", in: folder, [])
            #expect(code("a") == .locked)
            file.close()
            #expect(code("a") == nil)
        }
    }

    @Test("what is removed is told as it was, with what lay beside it")
    func removed() throws {
        try inFolder { folder in
            let file = try make("a", in: folder, ["one"])
            try make("b", in: folder, ["two"]).close()
            let expected = folder.sizes("a")
            #expect(expected.files == 2 && expected.bytes > 4096)
            file.close()
            try Data(repeating: 1, count: 10).write(to: URL(fileURLWithPath: folder.path(of: "a-wal")))
            let removed = try folder.remove("a")
            #expect(removed.files == 2)
            #expect(try folder.remove("a") == DatabaseFolder.Removed())
            try folder.synchronise()
            #expect(try folder.names() == ["b"])
        }
    }

    @Test("a file takes another's place only when neither has a log that would be lost, or taken for the other's")
    func replaced() throws {
        try inFolder { folder in
            let old = try make("a", in: folder, ["old"])
            try make("b", in: folder, ["new"]).close()
            #expect(throws: StorageError.self) { try folder.replace("a", by: "b") }
            #expect(Set(try folder.names()).isSuperset(of: ["a", "b"]))
            old.close()
            #expect(try texts("a", in: folder) == ["old"])
            try folder.replace("a", by: "b")
            #expect(try folder.names() == ["a"])
            #expect(try texts("a", in: folder) == ["new"])
        }
    }
}
