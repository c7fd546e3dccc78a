internal import GRDB

extension SQLiteStore {
    /// What a write is for, which decides at a nearly full disk.
    public enum Purpose: Sendable {
        /// Bookkeeping: takes what room there is.
        case upkeep
        /// Keeps something more: refused before the room is taken that erasing needs.
        case keeping
        /// Erases, or is needed to: may use the room that is kept for it.
        case erasing
    }

    public struct Configuration: Sendable {
        /// Writes that may wait; one more is refused with ``StorageError/Code/overloaded``. So is one on an account that has
        /// an eighth of them waiting, once three quarters are taken.
        public var writeQueueLimit = 8192
        /// Writes that share one transaction at most.
        public var groupLimit = 512
        /// Connections that read at the same time.
        public var readerLimit = 4
        /// How long a connection waits for another's lock within one attempt.
        public var busyTimeout: Duration = .seconds(2)
        /// How often ``SQLiteStore/purge()`` asks for the log's truncation while readers are in the way. Each attempt
        /// waits for ``busyTimeout``; writes go on between them.
        public var truncationAttempts = 15
        /// Pages in the write-ahead log after which a commit copies them into the database file.
        public var checkpointPages = 1000
        /// What is kept on the disk for erasing; nil: nothing.
        public var reserve: DiskReserve?

        public init() {}
    }
}

extension SQLiteStore.Configuration {
    /// Size that the write-ahead log is cut back to when it starts over, in bytes.
    private static let logSizeLimit = 64 << 20

    /// GRDB's configuration for the writer; the pool derives the readers' from it.
    var databaseConfiguration: GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.label = "samtal.storage"
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = readerLimit
        configuration.busyMode = .timeout(busyTimeout / .seconds(1))
        // Bound arguments are personal data: they stay out of errors.
        configuration.publicStatementArguments = false
        configuration.prepareDatabase { [checkpointPages] db in
            // Temporary files, VACUUM's too, would hold content outside the files that `purge` looks after.
            try db.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF")
            if db.configuration.readonly {
                // Two connections that checkpoint may corrupt the file (SQLite before 3.51.3): only the writer does.
                try db.execute(sql: "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0")
            } else {
                try db.execute(
                    sql: """
                        PRAGMA secure_delete = ON;
                        PRAGMA wal_autocheckpoint = \(checkpointPages);
                        PRAGMA journal_size_limit = \(Self.logSizeLimit)
                        """)
            }
        }
        return configuration
    }
}
