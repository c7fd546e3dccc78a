package import Foundation
import GRDB
package import RetentionCore
import Storage

extension RetentionStore {
    /// Begins the erasure of sessions whose time has passed, and of those that must have ended long ago though nobody ever
    /// told of it.
    ///
    /// - Parameter limit: at most so many; ask again while there are more.
    /// - Returns: how many were begun.
    package func requestOverdue(at now: Date, limit: Int) async throws -> Int {
        try await database.write(for: .erasing) { transaction in
            let db = transaction.db
            let overdue = try String.fetchAll(
                db,
                sql: """
                    SELECT session_id FROM (
                        SELECT session_id FROM sessions
                        WHERE erasure = 'live' AND delete_time IS NOT NULL AND delete_time <= ?
                        ORDER BY delete_time LIMIT ?)
                    UNION SELECT session_id FROM (
                        SELECT session_id FROM sessions
                        WHERE erasure = 'live' AND end_time IS NULL AND backstop_time <= ?
                        ORDER BY backstop_time LIMIT ?)
                    LIMIT ?
                    """,
                arguments: [LedgerTime.milliseconds(now), limit, LedgerTime.milliseconds(now), limit, limit])
            for id in overdue {
                guard var session = try Self.session(id, db) else { continue }
                session.erasure.request(.automatic)
                try Self.update(session, db)
            }
            return overdue.count
        }
    }

    /// Sessions whose time has passed and whose erasure has not begun, in the order of their ids.
    package func overdue(at now: Date, after id: String, limit: Int) async throws -> [RetainedSession] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM sessions WHERE erasure = 'live' AND session_id > ?1
                    AND (delete_time <= ?2 OR end_time IS NULL AND backstop_time <= ?2) ORDER BY session_id LIMIT ?3
                    """, arguments: [id, LedgerTime.milliseconds(now), limit]
            ).map(Self.session)
        }
    }

    /// Sessions whose erasure was asked for and whose key may still be there.
    package func awaitingKeyDestruction(limit: Int) async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT session_id FROM sessions
                    WHERE erasure = 'requested' AND erasure IN ('requested', 'key-destroyed', 'content-erased')
                    ORDER BY session_id LIMIT ?
                    """,
                arguments: [limit])
        }
    }

    /// The organisations that have sessions whose erasure has begun and is not complete, in the order of their ids.
    package func organisationsErasing() async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT organisation_id FROM sessions
                    WHERE erasure IN ('requested', 'key-destroyed', 'content-erased') ORDER BY organisation_id
                    """)
        }
    }

    /// Sessions of an organisation whose erasure has begun and is not complete, in the order of their ids.
    package func unfinished(of organisationID: String, after id: String, limit: Int) async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT session_id FROM sessions
                    WHERE erasure IN ('requested', 'key-destroyed', 'content-erased') AND organisation_id = ?
                    AND session_id > ? ORDER BY session_id LIMIT ?
                    """,
                arguments: [organisationID, id, limit])
        }
    }

    /// How many sessions should have been gone by this time and are not: those whose time had passed, however it is known,
    /// and those whose keys were gone by then and whose erasure is not complete.
    package func lateCount(before time: Date) async throws -> Int {
        try await database.read { db in
            try Int.fetchOne(
                db,
                // One index each: what is certified, which only grows, is not looked at.
                sql: """
                    SELECT
                        (SELECT count(*) FROM sessions
                        WHERE erasure = 'live' AND delete_time IS NOT NULL AND delete_time <= ?1)
                        + (SELECT count(*) FROM sessions
                        WHERE erasure = 'live' AND end_time IS NULL AND backstop_time <= ?1)
                        + (SELECT count(*) FROM sessions
                        WHERE erasure IN ('requested', 'key-destroyed', 'content-erased')
                        AND (delete_time <= ?1 OR key_destroyed_time <= ?1))
                    """,
                arguments: [LedgerTime.milliseconds(time)]) ?? 0
        }
    }

    /// The next time at which a session has to go; nil when none has ended.
    package func nextDeadline() async throws -> Date? {
        try await database.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT min(delete_time) FROM sessions WHERE erasure = 'live' AND delete_time IS NOT NULL"
            ).map(LedgerTime.date(milliseconds:))
        }
    }
}
