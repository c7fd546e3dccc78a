package import Foundation
import GRDB
package import RetentionCore
import Storage

/// What retention remembers, in `retention.sqlite`: agreements, policies, sessions, certificates, the clock's mark.
/// Holds no personal data, and no key.
package struct RetentionStore: Sendable {
    let database: SQLiteStore
    let limits: RetentionLimits

    package init(path: String, limits: RetentionLimits = RetentionLimits()) throws {
        database = try SQLiteStore(path: path, migrator: Self.migrator)
        self.limits = limits
    }

    package func close() async {
        await database.close()
    }

    /// The latest time that was ever stored; nil in a new database.
    package func highWater() async throws -> Date? {
        try await database.read { db in
            try Int64.fetchOne(db, sql: "SELECT high_water FROM clock").map(LedgerTime.date(milliseconds:))
        }
    }

    /// Stores the clock's mark; an earlier one changes nothing.
    package func storeHighWater(_ time: Date) async throws {
        let milliseconds = LedgerTime.milliseconds(time)
        try await database.write { transaction in
            try transaction.db.execute(
                sql: """
                    INSERT INTO clock (id, high_water) VALUES (1, ?)
                    ON CONFLICT (id) DO UPDATE SET high_water = max(high_water, excluded.high_water)
                    """,
                arguments: [milliseconds])
        }
    }
}
