import Foundation
import GRDB
package import RetentionCore
import Storage

/// That the ledger was found to be an older one: kept until a certificate has said so, and after.
extension RetentionStore {
    /// Adds to what the next certificate will say.
    package func add(_ note: RestoreNote) async throws {
        try await database.write { transaction in
            var sum = note
            if let before = try Self.unsaidRestore(transaction.db) {
                sum.certificates += before.certificates
                sum.erasures += before.erasures
                sum.keys += before.keys
            }
            try transaction.db.execute(sql: "DELETE FROM restores WHERE sequence IS NULL")
            try transaction.db.execute(
                sql: "INSERT INTO restores (found_time, certificates, erasures, keys) VALUES (?, ?, ?, ?)",
                arguments: [LedgerTime.milliseconds(sum.time), sum.certificates, sum.erasures, sum.keys])
        }
    }

    /// The latest, said by a certificate or not.
    package func latestRestore() async throws -> RestoreNote? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM restores ORDER BY id DESC LIMIT 1").map(Self.restore)
        }
    }

    static func unsaidRestore(_ db: Database) throws -> RestoreNote? {
        try Row.fetchOne(db, sql: "SELECT * FROM restores WHERE sequence IS NULL ORDER BY id DESC LIMIT 1")
            .map(restore)
    }

    static func noteRestoreSaid(by statement: ErasureStatement, _ db: Database) throws {
        guard let note = statement.restored else { return }
        try db.execute(
            sql: "UPDATE restores SET sequence = ? WHERE sequence IS NULL AND found_time <= ?",
            arguments: [statement.sequence, LedgerTime.milliseconds(note.time)])
    }

    private static func restore(_ row: Row) -> RestoreNote {
        RestoreNote(
            time: LedgerTime.date(milliseconds: row["found_time"]), certificates: row["certificates"],
            erasures: row["erasures"], keys: row["keys"])
    }
}
