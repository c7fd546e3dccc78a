internal import GRDB

/// The tables of identity.sqlite. A migration that was released is never edited; the next one changes what it left.
///
/// Times are milliseconds since 1970 in UTC, hashes are the 32 bytes of SHA-256.
enum IdentitySchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 organisations and administrators") { db in
            try db.execute(sql: organisations)
        }
        migrator.registerMigration("2 sign-in") { db in
            try db.execute(sql: signIn)
        }
        migrator.registerMigration("3 removal of administrators") { db in
            try db.execute(sql: removal)
        }
        migrator.registerMigration("4 sign-in codes on record") { db in
            try db.execute(sql: signInCodes)
        }
        migrator.registerMigration("5 the clock") { db in
            try db.execute(sql: clock)
        }
        migrator.registerMigration("6 revocations by two clocks") { db in
            try db.execute(sql: revocationsByTwoClocks)
        }
        return migrator
    }

    /// From here on `revoke_time` is by the wall clock, as the access tokens' times are. It was a confirmed time.
    private static let revocationsByTwoClocks = """
        ALTER TABLE revoked_sign_in ADD COLUMN confirmed_time INTEGER NOT NULL DEFAULT 0;
        UPDATE revoked_sign_in SET confirmed_time = revoke_time;
        """

    /// The latest confirmed time, and what the wall clock is measured against (`ClockGuard`).
    private static let clock = """
        CREATE TABLE clock (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            mark INTEGER NOT NULL,
            boot TEXT NOT NULL,
            uptime REAL NOT NULL
        ) STRICT;
        """

    /// Codes that were made before are dropped: the operator could make them for anybody. Nor is it known whether an
    /// administrator has signed in, so every organisation that has one counts as if.
    ///
    /// A record outlives the administrators that it names, without them. The hash is there until the code has ended.
    private static let signInCodes = """
        ALTER TABLE organisation ADD COLUMN first_sign_in_time INTEGER;
        UPDATE organisation SET first_sign_in_time = create_time
        WHERE EXISTS (SELECT 1 FROM administrator WHERE organisation_id = organisation.id);

        DROP TABLE pending_sign_in;
        CREATE TABLE sign_in_code (
            id TEXT PRIMARY KEY NOT NULL,
            organisation_id TEXT NOT NULL REFERENCES organisation (id),
            administrator_id TEXT REFERENCES administrator (id) ON DELETE SET NULL,
            maker TEXT NOT NULL,
            made_by TEXT REFERENCES administrator (id) ON DELETE SET NULL,
            instruction TEXT NOT NULL,
            create_time INTEGER NOT NULL,
            usable_time INTEGER NOT NULL,
            expire_time INTEGER NOT NULL,
            code_hash BLOB UNIQUE,
            ending TEXT,
            end_time INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX sign_in_code_waiting ON sign_in_code (administrator_id) WHERE code_hash IS NOT NULL;
        CREATE INDEX sign_in_code_list ON sign_in_code (organisation_id, create_time, id);
        CREATE INDEX sign_in_code_administrator ON sign_in_code (administrator_id);
        CREATE INDEX sign_in_code_made_by ON sign_in_code (made_by);
        """

    /// `email_key` is what makes two addresses the same mailbox (`EmailAddress.key`). The lists are given in order of
    /// creation, with the id to tell apart what was created in the same millisecond.
    private static let organisations = """
        CREATE TABLE organisation (
            id TEXT PRIMARY KEY NOT NULL,
            display_name TEXT NOT NULL,
            create_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX organisation_list ON organisation (create_time, id);

        CREATE TABLE administrator (
            id TEXT PRIMARY KEY NOT NULL,
            organisation_id TEXT NOT NULL REFERENCES organisation (id),
            email TEXT NOT NULL,
            email_key TEXT NOT NULL UNIQUE,
            display_name TEXT NOT NULL,
            create_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX administrator_list ON administrator (organisation_id, create_time, id);
        """

    /// What was revoked is needed after a restart, for some minutes. A removal has its row until the file was rewritten
    /// and holds nothing of the person any more; numbers are never given twice.
    private static let removal = """
        CREATE TABLE revoked_sign_in (
            sign_in_id TEXT PRIMARY KEY NOT NULL,
            revoke_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX revoked_sign_in_time ON revoked_sign_in (revoke_time);

        CREATE TABLE unpurged_removal (
            number INTEGER PRIMARY KEY AUTOINCREMENT
        ) STRICT;
        """

    /// A family of refresh tokens is one row while it lives and none afterwards.
    private static let signIn = """
        CREATE TABLE pending_sign_in (
            administrator_id TEXT PRIMARY KEY NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
            code_hash BLOB NOT NULL UNIQUE,
            expire_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX pending_sign_in_expiry ON pending_sign_in (expire_time);

        CREATE TABLE refresh_family (
            family_hash BLOB PRIMARY KEY NOT NULL,
            administrator_id TEXT NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
            current_hash BLOB NOT NULL,
            expire_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX refresh_family_expiry ON refresh_family (expire_time);
        CREATE INDEX refresh_family_administrator ON refresh_family (administrator_id);

        CREATE TABLE signing_key (
            id TEXT PRIMARY KEY NOT NULL,
            create_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
