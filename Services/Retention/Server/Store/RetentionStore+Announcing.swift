import Foundation
import GRDB
import RetentionCore
import Storage

extension RetentionStore {
    /// Sessions that are to be erased earlier than chat was told, in the order of their ids.
    func unannounced(after id: String, limit: Int) async throws -> [RetainedSession] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM sessions WHERE announced = 0 AND erasure = 'live' AND session_id > ?
                    ORDER BY session_id LIMIT ?
                    """,
                arguments: [id, limit]
            ).map(Self.session)
        }
    }

    /// Notes that chat knows the days and the time of erasure that the session had when it was read. One that was
    /// shortened again meanwhile stays unannounced.
    func noteAnnounced(_ session: RetainedSession) async throws {
        try await database.write { transaction in
            try transaction.db.execute(
                sql: """
                    UPDATE sessions SET announced = 1 WHERE session_id = ? AND retention_days = ? AND delete_time IS ?
                    """,
                arguments: [
                    session.id, session.retentionDays, session.deleteTime.map(LedgerTime.milliseconds),
                ])
        }
    }

    /// Those of the sessions whose erasure has not begun.
    func liveSessions(among ids: [String]) async throws -> [RetainedSession] {
        try await database.read { db in
            try ids.compactMap { id in try Self.session(id, db) }.filter { $0.erasure == .live }
        }
    }

    /// Those of the sessions that have a certificate.
    func certifiedSessions(among ids: [String]) async throws -> [String] {
        try await database.read { db in
            try ids.filter { id in
                try Bool.fetchOne(
                    db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM certificates WHERE session_id = ?)"),
                    arguments: [id]) ?? false
            }
        }
    }
}
