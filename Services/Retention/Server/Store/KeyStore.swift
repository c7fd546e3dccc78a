import Foundation
import GRDB
package import Privacy
import Storage

/// The session keys, alone in `keys.sqlite`: a file so small that destroying a key can afford to rewrite all of it.
package struct KeyStore: Sendable {
    private let database: SQLiteStore

    package init(path: String) throws {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("session keys") { db in
            try db.execute(
                sql: """
                    CREATE TABLE session_keys (
                        session_id TEXT NOT NULL PRIMARY KEY,
                        key BLOB NOT NULL CHECK (length(key) = 32)
                    ) STRICT, WITHOUT ROWID
                    """)
        }
        database = try SQLiteStore(path: path, migrator: migrator)
    }

    package func close() async {
        await database.close()
    }

    package func key(ofSession id: String) async throws -> SessionKey? {
        try await database.read { db in try Self.key(ofSession: id, db) }
    }

    /// The sessions that have a key.
    package func sessions() async throws -> [String] {
        try await database.read { db in try String.fetchAll(db, sql: "SELECT session_id FROM session_keys") }
    }

    /// The session's key, made now if it has none.
    package func keyOrNew(forSession id: String) async throws -> SessionKey {
        try await database.write { transaction in
            if let key = try Self.key(ofSession: id, transaction.db) { return key }
            let key = SessionKey.random()
            try transaction.db.execute(
                sql: "INSERT INTO session_keys (session_id, key) VALUES (?, ?)", arguments: [id, Data(key.bytes)])
            return key
        }
    }

    /// Destroys keys for ever: when this returns, no byte of them is left in the file or beside it. Destroying a key
    /// that is not there rewrites the file all the same, because an earlier try may have stopped half-way.
    package func destroy(_ ids: [String]) async throws {
        try await database.write { transaction in
            for id in ids {
                try transaction.db.execute(sql: "DELETE FROM session_keys WHERE session_id = ?", arguments: [id])
            }
        }
        try await database.purge()
    }

    private static func key(ofSession id: String, _ db: Database) throws -> SessionKey? {
        let data = try Data.fetchOne(db, sql: "SELECT key FROM session_keys WHERE session_id = ?", arguments: [id])
        return try data.map { try SessionKey(bytes: Array($0)) }
    }
}
