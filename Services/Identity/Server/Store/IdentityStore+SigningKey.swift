package import Foundation
internal import GRDB
internal import IdentityCore
internal import Storage

extension IdentityStore {
    /// Notes the key in use and forgets others.
    /// - Parameter now: its creation time, if it was not known before.
    /// - Returns: its creation time.
    package func adoptSigningKey(_ id: String, at now: Date) async throws -> Date {
        try await database.write { transaction in
            let db = transaction.db
            try db.execute(sql: "DELETE FROM signing_key WHERE id <> ?", arguments: [id])
            try db.execute(
                sql: "INSERT INTO signing_key (id, create_time) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
                arguments: [id, now.millisecondsSince1970])
            let milliseconds = try Int64.fetchOne(
                db, sql: "SELECT create_time FROM signing_key WHERE id = ?", arguments: [id])
            return Date(millisecondsSince1970: milliseconds ?? now.millisecondsSince1970)
        }
    }
}
