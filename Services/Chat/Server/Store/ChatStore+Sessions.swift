internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

extension ChatStore {
    /// Stores a new session and the event of its creation.
    func create(_ record: SessionRecord, sealedTitle: [UInt8]) async throws -> StoredSession {
        try await database.write { transaction in
            let db = transaction.db
            let insert = try db.cachedStatement(
                sql: """
                    INSERT INTO session (id, organisation, state, title, create_time, retention_days, last_sequence, end_reported)
                    VALUES (?, ?, ?, ?, ?, ?, 1, 0)
                    """)
            try insert.execute(arguments: [
                record.id, record.organisationID, record.state.rawValue, sealedTitle.column,
                record.createTime.milliseconds, record.retentionDays,
            ])
            let row = db.lastInsertedRowID
            try ChatStore.insertEvent(session: row, sequence: 1, question: nil, version: 0, in: db)
            return StoredSession(row: row, record: record, sealedTitle: sealedTitle, lastSequence: 1)
        }
    }

    /// - Returns: nil for an unknown or erased session. Whether its time has passed is the caller's business.
    func session(_ id: String) async throws -> StoredSession? {
        try await database.read { db in try ChatStore.session(id, in: db) }
    }

    /// Changes a session, with an event, in one transaction. A change that returns false stores nothing.
    /// - Parameter row: Of the same session.
    /// - Parameter onCommit: Told in commit order, if anything changed.
    /// - Returns: The session after the change; nil for an unknown or erased one.
    func change(
        _ id: String, at row: Int64, by change: @escaping @Sendable (inout SessionRecord) throws -> Bool,
        onCommit: @escaping @Sendable (StoredSession) -> Void
    ) async throws -> StoredSession? {
        try await write(countingFor: row) { [counters] transaction in
            let db = transaction.db
            guard var stored = try ChatStore.session(id, in: db) else { return nil }
            guard try change(&stored.record) else { return stored }
            var count = try counters.take(stored.row, in: db)
            count.noteChange()
            stored.lastSequence = count.sequence
            count.state = stored.record.state
            try ChatStore.update(stored, in: db)
            try ChatStore.insertEvent(
                session: stored.row, sequence: stored.lastSequence, question: nil, version: 0, in: db)
            counters.keep(count, for: stored.row)
            let changed = stored
            transaction.onCommit { onCommit(changed) }
            return changed
        }
    }

    /// Notes that retention has acknowledged the session's end.
    func noteEndReported(_ session: StoredSession) async throws {
        try await database.write { transaction in
            try transaction.db.cachedStatement(sql: "UPDATE session SET end_reported = 1 WHERE row = ?")
                .execute(arguments: [session.row])
        }
    }

    /// Sessions of an organisation that are visible at `now`, newest first.
    /// - Parameter page: What comes after the session with this creation time and id.
    func sessions(
        of organisationID: String, at now: Date, after page: SessionPageKey?, limit: Int
    ) async throws -> [StoredSession] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(StoredSession.columns) FROM session
                    WHERE organisation = ? AND (create_time, id) < (?, ?) AND (delete_time IS NULL OR delete_time > ?)
                    ORDER BY create_time DESC, id DESC LIMIT ?
                    """)
            let arguments: StatementArguments = [
                organisationID, page?.createTime.milliseconds ?? .max, page?.id ?? "", now.milliseconds, limit,
            ]
            return try Row.fetchAll(statement, arguments: arguments).map { row in try StoredSession(row) }
        }
    }

    /// Sessions not ended that were created at `time` or before, oldest first.
    func notEnded(createdBy time: Date, limit: Int) async throws -> [StoredSession] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(StoredSession.columns) FROM session
                    WHERE state <> \(SessionState.ended.rawValue) AND create_time <= ? ORDER BY create_time LIMIT ?
                    """)
            return try Row.fetchAll(statement, arguments: [time.milliseconds, limit])
                .map { row in try StoredSession(row) }
        }
    }

    /// Ended sessions whose end retention has not acknowledged, beyond a row.
    func notReported(after row: Int64, limit: Int) async throws -> [StoredSession] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(StoredSession.columns) FROM session
                    WHERE state = \(SessionState.ended.rawValue) AND end_reported = 0 AND row > ? ORDER BY row LIMIT ?
                    """)
            return try Row.fetchAll(statement, arguments: [row, limit]).map { row in try StoredSession(row) }
        }
    }

    /// All sessions that have rows, beyond one.
    func sessions(after row: Int64, limit: Int) async throws -> [StoredSession] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT \(StoredSession.columns) FROM session WHERE row > ? ORDER BY row LIMIT ?")
            return try Row.fetchAll(statement, arguments: [row, limit]).map { row in try StoredSession(row) }
        }
    }

    static func session(_ id: String, in db: Database) throws -> StoredSession? {
        let statement = try db.cachedStatement(sql: "SELECT \(StoredSession.columns) FROM session WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id]).map { row in try StoredSession(row) }
    }

    static func insertEvent(
        session: Int64, sequence: Int64, question: Int64?, version: Int64, in db: Database
    ) throws {
        try db.cachedStatement(sql: "INSERT INTO event (session, sequence, question, version) VALUES (?, ?, ?, ?)")
            .execute(arguments: [session, sequence, question, version])
    }

    private static func update(_ stored: StoredSession, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE session SET state = ?, open_time = ?, end_time = ?, delete_time = ?, retention_days = ?,
                last_sequence = ? WHERE row = ?
                """)
        let record = stored.record
        try statement.execute(arguments: [
            record.state.rawValue, record.openTime?.milliseconds, record.endTime?.milliseconds,
            record.deleteTime?.milliseconds, record.retentionDays, stored.lastSequence, stored.row,
        ])
    }
}
