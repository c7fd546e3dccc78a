internal import Foundation
internal import GRDB
internal import IdentityCore
package import Privacy
internal import Storage

extension IdentityStore {
    /// The latest confirmed time that was stored; nil in a new file.
    package func clockMark() async throws -> ClockMark? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT mark, boot, uptime FROM clock").map { row in
                ClockMark(time: Date(millisecondsSince1970: row[0]), boot: row[1], uptime: row[2])
            }
        }
    }

    package func storeClockMark(_ mark: ClockMark) async throws {
        try await database.write { transaction in
            try transaction.db.cachedStatement(
                sql: """
                    INSERT INTO clock (id, mark, boot, uptime) VALUES (1, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE
                    SET mark = excluded.mark, boot = excluded.boot, uptime = excluded.uptime
                    """
            ).execute(arguments: [mark.time.millisecondsSince1970, mark.boot, mark.uptime])
        }
    }
}
