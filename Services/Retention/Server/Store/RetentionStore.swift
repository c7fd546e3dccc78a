import Foundation
import GRDB
package import Privacy
package import RetentionCore
package import Storage

/// What retention remembers, in `retention.sqlite`: agreements, policies, sessions, certificates, the clock's mark.
/// Holds no personal data, and no key.
package struct RetentionStore: Sendable {
    let database: SQLiteStore
    let limits: RetentionLimits

    /// - Parameter reserve: What is kept on the disk for erasing.
    package init(
        path: String, limits: RetentionLimits = RetentionLimits(), reserve: DiskReserve? = nil
    ) throws {
        var configuration = SQLiteStore.Configuration()
        configuration.reserve = reserve
        database = try SQLiteStore(path: path, migrator: Self.migrator, configuration: configuration)
        self.limits = limits
    }

    /// Copies what is stored now into another file.
    func copy(to path: String) async throws {
        try await database.read { db in try DatabaseCopy.write(db, to: path) }
    }

    package func close() async {
        await database.close()
    }

    /// The latest confirmed time that was stored; nil in a new database.
    package func clockMark() async throws -> ClockMark? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT high_water, boot, uptime FROM clock").map { row in
                ClockMark(time: LedgerTime.date(milliseconds: row[0]), boot: row[1], uptime: row[2])
            }
        }
    }

    package func storeClockMark(_ mark: ClockMark) async throws {
        let milliseconds = LedgerTime.milliseconds(mark.time)
        try await database.write { transaction in
            try transaction.db.execute(
                sql: """
                    INSERT INTO clock (id, high_water, boot, uptime) VALUES (1, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE
                    SET high_water = excluded.high_water, boot = excluded.boot, uptime = excluded.uptime
                    """,
                arguments: [milliseconds, mark.boot, mark.uptime])
        }
    }
}
