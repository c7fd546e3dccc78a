package import Foundation
import GRDB
import Privacy
package import RetentionCore
import Storage

/// A row that holds what no version of this program writes.
enum StoredValueError: Error {
    case unreadable
}

extension RetentionStore {
    package func session(_ id: String) async throws -> RetainedSession? {
        try await database.read { db in try Self.session(id, db) }
    }

    /// Registers a session under its organisation's policy of this moment. One that is there already is returned as
    /// it is, whosever it is.
    ///
    /// - Parameter maximumDays: so many days after now it has ended, told of or not.
    /// - Throws: `RetentionError`: `agreementRequired`, or `tooManySessions`.
    package func register(
        sessionID: String, organisationID: String, maximumDays: Int, at now: Date
    ) async throws -> RetainedSession {
        try await database.write(for: .keeping) { [limits] transaction in
            let db = transaction.db
            if let session = try Self.session(sessionID, db) { return session }
            guard try Self.hasRoom(for: organisationID, limits, db) else { throw RetentionError.tooManySessions }
            guard let agreement = try Self.agreement(of: organisationID, db),
                let policy = try Self.policy(of: organisationID, db)
            else { throw RetentionError.agreementRequired }
            let session = RetainedSession(
                id: sessionID, organisationID: organisationID, createTime: LedgerTime.rounded(now),
                agreementVersion: agreement.version, policyVersion: policy.version,
                retentionDays: policy.retentionDays)
            let latestEnd = session.createTime.addingTimeInterval(TimeInterval(maximumDays) * 86_400)
            try Self.insert(
                session, backstop: RetentionRule.deadline(ended: latestEnd, days: RetentionRule.maximumDays), db)
            return session
        }
    }

    /// Whether the organisation may have another session.
    func hasRoom(for organisationID: String) async throws -> Bool {
        try await database.read { [limits] db in try Self.hasRoom(for: organisationID, limits, db) }
    }

    private static func hasRoom(for organisationID: String, _ limits: RetentionLimits, _ db: Database) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: "SELECT count(*) FROM sessions WHERE organisation_id = ? AND erasure = 'live'")
        return try Int.fetchOne(statement, arguments: [organisationID]) ?? 0 < limits.sessionsPerOrganisation
    }

    /// Changes a session in one transaction.
    ///
    /// - Returns: the session as it is afterwards; nil when there is none.
    package func change(
        _ id: String, _ change: @escaping @Sendable (inout RetainedSession) throws -> Void
    ) async throws -> RetainedSession? {
        try await database.write(for: .erasing) { transaction in
            guard var session = try Self.session(id, transaction.db) else { return nil }
            let before = session
            try change(&session)
            if session != before { try Self.update(session, transaction.db) }
            return session
        }
    }

    static func session(_ id: String, _ db: Database) throws -> RetainedSession? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM sessions WHERE session_id = ?")
        return try Row.fetchOne(statement, arguments: [id]).map(session)
    }

    /// From all columns.
    static func session(_ row: Row) throws -> RetainedSession {
        RetainedSession(
            id: row["session_id"], organisationID: row["organisation_id"],
            createTime: LedgerTime.date(milliseconds: row["create_time"]),
            agreementVersion: row["agreement_version"], policyVersion: row["policy_version"],
            retentionDays: row["retention_days"], endTime: time(row["end_time"]),
            deleteTime: time(row["delete_time"]), erasure: try erasure(row),
            requester: try requester(row), chatRegion: (row["chat_region"] as String?).flatMap { try? Region($0) },
            keys: try keyVersions(row), keyDestruction: keyDestruction(row), contentErasure: contentErasure(row),
            isHeld: row["held"], questionCount: row["asked"])
    }

    static func insert(_ session: RetainedSession, backstop: Date, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO sessions
                (session_id, organisation_id, create_time, agreement_version, policy_version, retention_days,
                backstop_time, erasure)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'live')
                """,
            arguments: [
                session.id, session.organisationID, LedgerTime.milliseconds(session.createTime),
                session.agreementVersion, session.policyVersion, session.retentionDays,
                LedgerTime.milliseconds(backstop),
            ])
    }

    static func update(_ session: RetainedSession, _ db: Database) throws {
        let erasure = ErasureColumns(session.erasure)
        try db.execute(
            sql: """
                UPDATE sessions SET agreement_version = ?, policy_version = ?, retention_days = ?, end_time = ?,
                delete_time = ?, erasure = ?, key_version = ?, key_change = ?, asked = ?, held = ? WHERE session_id = ?
                """,
            arguments: [
                session.agreementVersion, session.policyVersion, session.retentionDays,
                session.endTime.map(LedgerTime.milliseconds), session.deleteTime.map(LedgerTime.milliseconds),
                erasure.name, session.keys.current, session.keys.change.rawValue, session.questionCount,
                session.isHeld, session.id,
            ])
        // Certified: the certificate says the rest, and what it was made from stays as it was.
        guard session.erasure != .certified else { return }
        try db.execute(
            sql: """
                UPDATE sessions SET erasure_trigger = ?, erasure_by = ?, erasure_instruction = ?,
                key_destroyed_time = ?, erased_time = ?, questions = ?, answers = ?, events = ?, chat_region = ?,
                key_slots = ?, key_read_back = ?, key_place = ?, key_medium = ?, key_risks = ?,
                content_found = ?, content_files = ?, content_bytes = ?, content_time = ? WHERE session_id = ?
                """,
            arguments: [
                erasure.trigger?.rawValue, session.requester?.name, session.requester?.instruction?.text,
                erasure.keyDestroyedTime.map(LedgerTime.milliseconds),
                erasure.erasedTime.map(LedgerTime.milliseconds), session.contentErasure?.counts?.questions,
                session.contentErasure?.counts?.answers, session.contentErasure?.counts?.events,
                session.chatRegion?.name, session.keyDestruction?.slots,
                session.keyDestruction?.readBack?.rawValue, session.keyDestruction?.place?.rawValue,
                session.keyDestruction?.medium, session.keyDestruction?.risks.joined(separator: " "),
                session.contentErasure?.found.rawValue, session.contentErasure?.files, session.contentErasure?.bytes,
                (session.contentErasure?.time).map(LedgerTime.milliseconds), session.id,
            ])
    }

    /// The ids of sessions that nobody has begun to erase, in their order.
    func liveSessions(after id: String, limit: Int) async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(
                db,
                sql:
                    "SELECT session_id FROM sessions WHERE session_id > ? AND erasure = 'live' ORDER BY session_id LIMIT ?",
                arguments: [id, limit])
        }
    }

    private static func time(_ milliseconds: Int64?) -> Date? {
        milliseconds.map(LedgerTime.date(milliseconds:))
    }

    private static func erasure(_ row: Row) throws -> ErasureState {
        let trigger = (row["erasure_trigger"] as String?).flatMap(ErasureTrigger.init(rawValue:))
        let columns = ErasureColumns(
            name: row["erasure"], trigger: trigger, keyDestroyedTime: time(row["key_destroyed_time"]),
            erasedTime: time(row["erased_time"]))
        guard let state = columns.state else { throw StoredValueError.unreadable }
        return state
    }

    private static func requester(_ row: Row) throws -> ErasureRequester? {
        guard let name = row["erasure_by"] as String? else { return nil }
        guard let requester = ErasureRequester(name: name, instruction: row["erasure_instruction"]) else {
            throw StoredValueError.unreadable
        }
        return requester
    }

    private static func contentErasure(_ row: Row) -> ContentErasure? {
        guard let found = (row["content_found"] as String?).flatMap(ContentErasure.Found.init(rawValue:)),
            let files = row["content_files"] as Int64?, let bytes = row["content_bytes"] as Int64?,
            let time = time(row["content_time"])
        else { return nil }
        return ContentErasure(found: found, files: files, bytes: bytes, time: time, counts: counts(row))
    }

    private static func counts(_ row: Row) -> ErasedCounts? {
        guard let questions = row["questions"] as Int64?, let answers = row["answers"] as Int64?,
            let events = row["events"] as Int64?
        else { return nil }
        return ErasedCounts(questions: questions, answers: answers, events: events)
    }
}
