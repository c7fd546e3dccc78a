import Foundation
import GRDB
import Storage
import Testing

@Suite("A statement bound on SQLite's own handle")
struct BoundStatementTests {
    private func inFile(_ body: (Database) throws -> Void) throws {
        let folder = try TemporaryFolder()
        let file = try SQLiteFile(creating: folder.path + "/notes.sqlite") { db in
            try db.execute(sql: "CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT NOT NULL, bytes BLOB) STRICT")
        }
        defer { file.close() }
        try file.use(body)
    }

    @Test("what is bound is stored, row by row; an empty blob is not NULL, and a text may hold anything")
    func rows() throws {
        try inFile { db in
            let insert = try BoundStatement(db, sql: "INSERT INTO note VALUES (?, ?, ?)")
            let rows: [(Int64, String, [UInt8]?)] = [
                (Int64.min, "", []), (0, "a\0b", nil), (Int64.max, "räksmörgås 🙂", [0, 255]),
            ]
            for (number, text, bytes) in rows {
                insert.bind(number)
                insert.bind(text)
                if let bytes { insert.bind(bytes) } else { insert.bindNull() }
                try insert.run()
            }
            let stored = try Row.fetchAll(db, sql: "SELECT number, CAST(text AS BLOB), bytes FROM note ORDER BY number")
            #expect(stored.count == rows.count)
            for (row, wanted) in zip(stored, rows) {
                #expect(row[0] == wanted.0)
                #expect((row[1] as Data?).map { [UInt8]($0) } ?? [] == Array(wanted.1.utf8))
                #expect((row[2] as Data?).map { [UInt8]($0) } == wanted.2)
            }
        }
    }

    @Test("a row that is refused is not stored, its error holds no argument, and the next row is")
    func refused() throws {
        try inFile { db in
            let insert = try BoundStatement(db, sql: "INSERT INTO note VALUES (?, ?, NULL)")
            func store(_ number: Int64, _ text: String) throws {
                insert.bind(number)
                insert.bind(text)
                try insert.run()
            }
            try store(1, "one")
            let error = #expect(throws: DatabaseError.self) { try store(1, "a secret") }
            #expect(error?.extendedResultCode == .SQLITE_CONSTRAINT_PRIMARYKEY)
            #expect("\(error as Any)".contains("secret") == false)
            try store(2, "two")
            #expect(try String.fetchAll(db, sql: "SELECT text FROM note ORDER BY number") == ["one", "two"])
        }
    }
}
