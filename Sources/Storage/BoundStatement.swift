public import GRDB
internal import GRDBSQLite

/// A statement that stores a row, compiled once and bound on SQLite's own handle: for the one statement of which there are
/// tens of thousands a second. GRDB makes an object of every argument, which costs as much as storing them.
///
/// Used on the database's own thread. Arguments are copied, and let go of by ``run()``.
public final class BoundStatement {
    private let statement: Statement
    private var position: Int32 = 0

    /// - Throws: `DatabaseError`.
    public init(_ db: Database, sql: String) throws {
        statement = try db.makeStatement(sql: sql)
    }

    private var handle: OpaquePointer { statement.sqliteStatement }

    /// Binds the next argument.
    public func bind(_ number: Int64) {
        position += 1
        sqlite3_bind_int64(handle, position, number)
    }

    /// Binds the next argument, a text.
    public func bind(_ text: String) {
        position += 1
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                _ = sqlite3_bind_text64(
                    handle, position, characters.baseAddress, UInt64(characters.count), Self.copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// Binds the next argument, a blob, which is not NULL however short it is.
    public func bind(_ blob: [UInt8]) {
        position += 1
        blob.withUnsafeBytes { bytes in
            // Without an address it would be NULL.
            _ =
                bytes.isEmpty
                ? sqlite3_bind_zeroblob(handle, position, 0)
                : sqlite3_bind_blob64(handle, position, bytes.baseAddress, UInt64(bytes.count), Self.copied)
        }
    }

    /// Binds the next argument, NULL.
    public func bindNull() {
        position += 1
        sqlite3_bind_null(handle, position)
    }

    /// Runs the statement to its end with what was bound; the next argument is the first again.
    /// - Throws: `DatabaseError`, without the arguments: they are personal data.
    public func run() throws {
        let code = sqlite3_step(handle)
        let message = code == SQLITE_DONE ? nil : String(cString: sqlite3_errmsg(sqlite3_db_handle(handle)))
        let isWhole = position == sqlite3_bind_parameter_count(handle)
        let extended = code == SQLITE_DONE ? code : sqlite3_extended_errcode(sqlite3_db_handle(handle))
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        position = 0
        assert(isWhole, "every argument of a statement is bound")
        if let message { throw DatabaseError(resultCode: ResultCode(rawValue: extended), message: message) }
    }

    /// SQLITE_TRANSIENT, which Swift does not import.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}
