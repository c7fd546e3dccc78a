import GRDB

extension RetentionStore {
    /// Times are milliseconds since 1970, UTC.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("agreements, policies, sessions, certificates") { db in
            try db.execute(sql: agreements)
            try db.execute(sql: sessions)
            try db.execute(sql: ledger)
        }
        migrator.registerMigration("confirmed agreements, announced deadlines") { db in
            try db.execute(sql: confirmations)
        }
        migrator.registerMigration("who asked for an erasure") { db in
            try db.execute(sql: requester)
        }
        migrator.registerMigration("erasures by organisation") { db in
            try db.execute(
                sql: """
                    CREATE INDEX sessions_erasing_by_organisation ON sessions (organisation_id, session_id)
                    WHERE erasure IN ('requested', 'key-destroyed', 'content-erased')
                    """)
        }
        migrator.registerMigration("where chat kept a session") { db in
            try db.execute(sql: "ALTER TABLE sessions ADD COLUMN chat_region TEXT")
        }
        migrator.registerMigration("keys in slots") { db in
            try db.execute(sql: keys)
        }
        migrator.registerMigration("the start of the machine, and its uptime, at the clock's mark") { db in
            try db.execute(sql: guardedClock)
        }
        migrator.registerMigration("ledgers that were found to be older") { db in
            try db.execute(sql: restores)
        }
        migrator.registerMigration("copies of keys") { db in
            try db.execute(sql: keyCopies)
        }
        return migrator
    }

    /// What the wall clock is measured against (`ClockGuard`). Empty for a mark of before: another start of the machine.
    private static let guardedClock = """
        ALTER TABLE clock ADD COLUMN boot TEXT NOT NULL DEFAULT '';
        ALTER TABLE clock ADD COLUMN uptime REAL NOT NULL DEFAULT 0;
        """

    /// ``RestoreNote``. `sequence`: of the certificate that says so; null until there is one.
    private static let restores = """
        CREATE TABLE restores (
            id INTEGER PRIMARY KEY,
            found_time INTEGER NOT NULL,
            certificates INTEGER NOT NULL,
            erasures INTEGER NOT NULL,
            keys INTEGER NOT NULL,
            sequence INTEGER
        ) STRICT;
        """

    /// ``KeyCopy``.
    private static let keyCopies = """
        CREATE TABLE key_copies (
            create_time INTEGER NOT NULL,
            expire_time INTEGER NOT NULL,
            PRIMARY KEY (create_time, expire_time)
        ) STRICT, WITHOUT ROWID;
        """

    private static let agreements = """
        CREATE TABLE agreements (
            organisation_id TEXT NOT NULL,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            reference TEXT NOT NULL,
            signed_date TEXT NOT NULL,
            cap_days INTEGER NOT NULL,
            record_time INTEGER NOT NULL,
            PRIMARY KEY (organisation_id, version)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE policies (
            organisation_id TEXT NOT NULL,
            version INTEGER NOT NULL,
            retention_days INTEGER NOT NULL,
            agreement_version INTEGER NOT NULL,
            set_time INTEGER NOT NULL,
            PRIMARY KEY (organisation_id, version),
            FOREIGN KEY (organisation_id, agreement_version) REFERENCES agreements (organisation_id, version)
        ) STRICT, WITHOUT ROWID;
        """

    /// `erasure` is the state's name; the columns after it hold what the state carries.
    private static let sessions = """
        CREATE TABLE sessions (
            session_id TEXT NOT NULL PRIMARY KEY,
            organisation_id TEXT NOT NULL,
            create_time INTEGER NOT NULL,
            agreement_version INTEGER NOT NULL,
            policy_version INTEGER NOT NULL,
            retention_days INTEGER NOT NULL,
            end_time INTEGER,
            delete_time INTEGER,
            erasure TEXT NOT NULL,
            erasure_trigger TEXT,
            key_destroyed_time INTEGER,
            erased_time INTEGER,
            questions INTEGER,
            answers INTEGER,
            events INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sessions_due ON sessions (delete_time) WHERE erasure = 'live' AND delete_time IS NOT NULL;
        CREATE INDEX sessions_erasing ON sessions (session_id)
            WHERE erasure IN ('requested', 'key-destroyed', 'content-erased');
        CREATE INDEX sessions_live ON sessions (organisation_id) WHERE erasure = 'live';
        """

    /// `announced`: whether chat knows the session's days and time of erasure.
    private static let confirmations = """
        ALTER TABLE agreements ADD COLUMN confirm_time INTEGER;
        ALTER TABLE sessions ADD COLUMN announced INTEGER NOT NULL DEFAULT 1;
        CREATE INDEX sessions_unannounced ON sessions (session_id) WHERE announced = 0 AND erasure = 'live';
        DROP INDEX sessions_live;
        CREATE INDEX sessions_live ON sessions (organisation_id, retention_days) WHERE erasure = 'live';
        """

    /// Both are null where nobody asked; the instruction also where an administrator did.
    private static let requester = """
        ALTER TABLE sessions ADD COLUMN erasure_by TEXT;
        ALTER TABLE sessions ADD COLUMN erasure_instruction TEXT;
        """

    /// `key_version` and `key_change` are ``ContentKeyVersions``; the other `key_` columns, null until the keys are
    /// destroyed, ``KeyDestruction``; the `content_` columns, with `questions`, `answers` and `events`, ``ContentErasure``.
    /// `asked`: the most questions that chat has said it holds; `held`: whether it has ever spoken of the session. Of keys that belong to no
    /// session there is the digest by which the slots know them, and when they were first seen. `backstop_time`: when a
    /// session goes of whose end nobody tells.
    private static let keys = """
        ALTER TABLE sessions ADD COLUMN key_version INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE sessions ADD COLUMN key_change INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE sessions ADD COLUMN key_slots INTEGER;
        ALTER TABLE sessions ADD COLUMN key_read_back TEXT;
        ALTER TABLE sessions ADD COLUMN key_place TEXT;
        ALTER TABLE sessions ADD COLUMN key_medium TEXT;
        ALTER TABLE sessions ADD COLUMN key_risks TEXT;
        ALTER TABLE sessions ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE sessions ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE sessions ADD COLUMN content_found TEXT;
        ALTER TABLE sessions ADD COLUMN content_files INTEGER;
        ALTER TABLE sessions ADD COLUMN content_bytes INTEGER;
        ALTER TABLE sessions ADD COLUMN content_time INTEGER;
        ALTER TABLE sessions ADD COLUMN backstop_time INTEGER;
        CREATE INDEX sessions_retiring_key ON sessions (session_id) WHERE key_change = 2;
        CREATE INDEX sessions_unended ON sessions (backstop_time) WHERE erasure = 'live' AND end_time IS NULL;
        CREATE TABLE stray_keys (
            name BLOB NOT NULL PRIMARY KEY,
            seen_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    private static let ledger = """
        CREATE TABLE certificates (
            sequence INTEGER PRIMARY KEY,
            session_id TEXT NOT NULL UNIQUE REFERENCES sessions (session_id),
            organisation_id TEXT NOT NULL,
            statement TEXT NOT NULL,
            signature BLOB NOT NULL,
            key_id TEXT NOT NULL
        ) STRICT;
        CREATE INDEX certificates_by_organisation ON certificates (organisation_id, sequence);
        CREATE TABLE clock (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            high_water INTEGER NOT NULL
        ) STRICT;
        """
}
