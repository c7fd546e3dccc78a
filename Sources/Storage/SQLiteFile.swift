internal import Foundation
public import GRDB

/// One SQLite file with a single connection that has it to itself: for files of which there are many.
///
/// WAL with synchronous=FULL, in exclusive locking mode, so that the log's index is in memory and there is no `-shm` file.
/// Used by one thread at a time, whichever it is.
public final class SQLiteFile {
    public struct Configuration: Sendable {
        /// Memory for pages, in KiB: what many open files take each. What is read again comes from the system's cache.
        public var cacheSize = 128
        /// Pages in the write-ahead log after which a commit copies them into the database file.
        public var checkpointPages = 1000

        public init() {}
    }

    /// Size that the write-ahead log is cut back to when it starts over, in bytes.
    fileprivate static let logSizeLimit = 8 << 20

    private let queue: DatabaseQueue

    /// Opens a file that exists.
    /// - Throws: ``StorageError``: `missing` if there is no file, `corrupt` if it is no database, `locked` if it is open
    ///   elsewhere.
    public convenience init(path: String, configuration: Configuration = .init()) throws(StorageError) {
        guard access(path, F_OK) == 0 else {
            throw errno == ENOENT
                ? StorageError(.missing, "the database file is not there")
                : StorageError(errno: errno, "the database file can't be reached")
        }
        try self.init(opening: path, configuration)
    }

    /// Creates a file (mode 0600), or throws if there is one. What the body stores is durable when this returns; the file's
    /// name is after ``DatabaseFolder/synchronise()``.
    public convenience init(
        creating path: String, configuration: Configuration = .init(), _ body: (Database) throws -> Void
    ) throws(StorageError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "the database file can't be created") }
        Foundation.close(descriptor)
        try self.init(opening: path, configuration)
        do {
            try use { db in
                try db.inTransaction(.immediate) {
                    try body(db); return .commit
                }
            }
        } catch {
            throw StorageError.wrapping(error, while: "creating the database")
        }
    }

    private init(opening path: String, _ configuration: Configuration) throws(StorageError) {
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration.databaseConfiguration)
        } catch {
            let error = StorageError.wrapping(error, while: "opening the database")
            throw error.code == .busy ? StorageError(.locked, "the database is open elsewhere") : error
        }
    }

    /// Works on the connection, outside any transaction, on the calling thread.
    /// - Throws: What the body throws, with errors of the database as ``StorageError``.
    public func use<T>(_ body: (Database) throws -> T) throws -> T {
        do {
            return try queue.writeWithoutTransaction(body)
        } catch let error as DatabaseError {
            throw StorageError(error, while: "using the database")
        }
    }

    /// Copies the log into the file, as far as there is room, and closes it. A second call does nothing.
    public func close() {
        try? queue.close()
    }
}

extension SQLiteFile.Configuration {
    fileprivate var databaseConfiguration: GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.label = "samtal.storage.file"
        // Bound arguments are personal data: they stay out of errors.
        configuration.publicStatementArguments = false
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { [self] db in
            // Exclusive before anything is read: then the log's index is never shared.
            try db.execute(
                sql: """
                    PRAGMA locking_mode = EXCLUSIVE;
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = FULL;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA trusted_schema = OFF;
                    PRAGMA secure_delete = ON;
                    PRAGMA cache_size = -\(cacheSize);
                    PRAGMA wal_autocheckpoint = \(checkpointPages);
                    PRAGMA journal_size_limit = \(SQLiteFile.logSizeLimit)
                    """)
        }
        return configuration
    }
}
