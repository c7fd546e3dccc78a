package import Foundation
import GRDB
package import RetentionCore
import Storage

extension RetentionStore {
    /// What keeping an organisation's sessions for so many days would do to those that there are.
    ///
    /// - Parameter days: under the agreement in force.
    /// - Throws: `RetentionError.agreementRequired`; what `days` throws.
    package func preview(
        of organisationID: String, at now: Date,
        days: @escaping @Sendable (Agreement, Policy) throws -> Int
    ) async throws -> (preview: RetentionPreview, agreement: Agreement) {
        try await database.read { db in
            let (agreement, policy) = try Self.rules(of: organisationID, db)
            return (try Self.preview(of: organisationID, days: try days(agreement, policy), at: now, db), agreement)
        }
    }

    /// Sets an organisation's policy, and shortens its sessions that are kept for longer: all or nothing, and only what
    /// was agreed to. What is set and done already is done again without a confirmation: an answer may have got lost.
    ///
    /// - Throws: `RetentionError`: `agreementRequired`, `invalidField` above the cap, or what the confirmation lacks.
    package func setPolicy(
        organisationID: String, retentionDays: Int, confirmation: ShorteningConfirmation, at now: Date
    ) async throws -> Policy {
        try await database.write(for: .erasing) { [limits] transaction in
            let db = transaction.db
            let (agreement, policy) = try Self.rules(of: organisationID, db)
            let next = try policy.setting(retentionDays: retentionDays, under: agreement)
            let longer = try Self.sessions(of: organisationID, keptLongerThan: retentionDays, db)
            guard next != policy || !longer.isEmpty else { return policy }
            try confirmation.check(RetentionPreview(of: longer, retentionDays: retentionDays, at: now))
            if next != policy {
                try Self.requireRoomForPolicy(of: organisationID, limits, db)
                try Self.insert(next, at: now, db)
            }
            try Self.clamp(longer, to: .policy(next), db)
            return next
        }
    }

    /// Notes that the controller has confirmed the agreement in force, and applies its cap to the sessions that there
    /// are: all or nothing, and only what was agreed to. Confirmed already: the same, of what is left.
    ///
    /// - Throws: `RetentionError`: `agreementNotFound`, `agreementSuperseded` for another version than the latest, or
    ///   what the confirmation lacks.
    package func confirmAgreement(
        organisationID: String, version: Int64, confirmation: ShorteningConfirmation, at now: Date
    ) async throws -> Agreement {
        try await database.write(for: .erasing) { transaction in
            let db = transaction.db
            guard var agreement = try Self.agreement(of: organisationID, db) else {
                throw RetentionError.agreementNotFound
            }
            guard agreement.version == version else {
                throw RetentionError.agreementSuperseded(latest: agreement.version)
            }
            let longer = try Self.sessions(of: organisationID, keptLongerThan: agreement.capDays, db)
            guard agreement.confirmTime == nil || !longer.isEmpty else { return agreement }
            try confirmation.check(RetentionPreview(of: longer, retentionDays: agreement.capDays, at: now))
            agreement.confirmTime = agreement.confirmTime ?? LedgerTime.rounded(now)
            try db.execute(
                sql: "UPDATE agreements SET confirm_time = ? WHERE organisation_id = ? AND version = ?",
                arguments: [agreement.confirmTime.map(LedgerTime.milliseconds), organisationID, version])
            try Self.clamp(longer, to: .cap(agreement), db)
            return agreement
        }
    }

    /// Whether sessions that may still be read are kept for longer than the agreement's cap.
    package func isConfirmationPending(_ agreement: Agreement, at now: Date) async throws -> Bool {
        try await database.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM sessions WHERE organisation_id = ? AND erasure = 'live' AND retention_days > ?
                        AND (delete_time IS NULL OR delete_time > ?))
                    """,
                arguments: [agreement.organisationID, agreement.capDays, LedgerTime.milliseconds(now)]) ?? false
        }
    }

    private static func rules(of organisationID: String, _ db: Database) throws -> (Agreement, Policy) {
        guard let agreement = try agreement(of: organisationID, db), let policy = try policy(of: organisationID, db)
        else { throw RetentionError.agreementRequired }
        return (agreement, policy)
    }

    private static func preview(
        of organisationID: String, days: Int, at now: Date, _ db: Database
    ) throws -> RetentionPreview {
        RetentionPreview(
            of: try sessions(of: organisationID, keptLongerThan: days, db), retentionDays: days, at: now)
    }

    /// Sessions whose erasure has not begun: those that ended first, then those that have not.
    private static func sessions(
        of organisationID: String, keptLongerThan days: Int, _ db: Database
    ) throws -> [RetainedSession] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT * FROM sessions WHERE organisation_id = ? AND erasure = 'live' AND retention_days > ?
                ORDER BY end_time NULLS LAST, session_id
                """)
        return try Row.fetchAll(statement, arguments: [organisationID, days]).map(session)
    }

    private static func clamp(_ sessions: [RetainedSession], to limit: RetentionLimit, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE sessions SET agreement_version = ?, policy_version = ?, retention_days = ?, delete_time = ?,
                announced = 0 WHERE session_id = ?
                """)
        for var session in sessions where session.clamp(to: limit) {
            try statement.execute(arguments: [
                session.agreementVersion, session.policyVersion, session.retentionDays,
                session.deleteTime.map(LedgerTime.milliseconds), session.id,
            ])
        }
    }
}

extension RetentionPreview {
    fileprivate init(of sessions: [RetainedSession], retentionDays: Int, at now: Date) {
        self.init(retentionDays: retentionDays, at: now)
        for session in sessions { add(session) }
    }
}
