internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

extension ChatStore {
    /// The latest time that was stored.
    func clockMark() async throws -> Date {
        try await database.read { db in
            Date(milliseconds: try Int64.fetchOne(db, sql: "SELECT mark FROM clock") ?? 0)
        }
    }

    func storeClockMark(_ time: Date) async throws {
        try await database.write { transaction in
            try transaction.db.cachedStatement(sql: "UPDATE clock SET mark = max(mark, ?)")
                .execute(arguments: [time.milliseconds])
        }
    }
}
