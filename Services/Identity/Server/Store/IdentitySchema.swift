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
        return migrator
    }

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

    /// One code at most for an administrator: the primary key makes a new one take the place of the old. A family of
    /// refresh tokens is one row while it lives and none afterwards.
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
