package import Foundation
import GRDB
package import RetentionCore
import Storage

/// Copies of the session keys that are to exist: certificates name when the last of them is to be gone.
extension RetentionStore {
    /// A copy that is on record already changes nothing.
    package func add(_ copies: [KeyCopy]) async throws {
        guard !copies.isEmpty else { return }
        try await database.write { transaction in
            for copy in copies {
                try transaction.db.execute(
                    sql: "INSERT OR IGNORE INTO key_copies (create_time, expire_time) VALUES (?, ?)",
                    arguments: [LedgerTime.milliseconds(copy.createTime), LedgerTime.milliseconds(copy.expireTime)])
            }
        }
    }

    /// All that were ever on record.
    func keyCopies() async throws -> [KeyCopy] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT create_time, expire_time FROM key_copies ORDER BY create_time").map {
                row in
                KeyCopy(
                    createTime: LedgerTime.date(milliseconds: row[0]), expireTime: LedgerTime.date(milliseconds: row[1])
                )
            }
        }
    }

    /// When the last copy is to be gone; nil where none is to exist any more.
    package func keyCopiesUntil(after time: Date) async throws -> Date? {
        try await database.read { db in try Self.keyCopiesUntil(after: time, db) }
    }

    static func keyCopiesUntil(after time: Date, _ db: Database) throws -> Date? {
        try Int64.fetchOne(
            db, sql: "SELECT max(expire_time) FROM key_copies WHERE expire_time > ?",
            arguments: [LedgerTime.milliseconds(time)]
        ).map(LedgerTime.date(milliseconds:))
    }
}
