package import Foundation
import GRDB
package import RetentionCore
import Storage

extension RetentionStore {
    /// Stores an organisation's agreement as its next version, and lowers its policy, for sessions to come, where the
    /// agreement's cap is lower. Sessions that there are keep what they were promised until the controller confirms.
    /// - Throws: `RetentionError.tooManyVersions`.
    package func record(
        organisationID: String, kind: AgreementKind, reference: String, signedDate: CalendarDate, capDays: Int,
        at now: Date
    ) async throws -> Agreement {
        try await database.write(for: .keeping) { [limits] transaction in
            let db = transaction.db
            try Self.requireRoomForAgreement(of: organisationID, limits, db)
            let agreement = Agreement(
                organisationID: organisationID, kind: kind, reference: reference, signedDate: signedDate,
                capDays: capDays, version: (try Self.agreement(of: organisationID, db)?.version ?? 0) + 1)
            try Self.insert(agreement, at: now, db)
            if let policy = try Self.policy(of: organisationID, db) {
                let next = policy.adopting(agreement)
                if next != policy {
                    try Self.requireRoomForPolicy(of: organisationID, limits, db)
                    try Self.insert(next, at: now, db)
                }
            } else {
                try Self.insert(Policy.initial(for: agreement), at: now, db)
            }
            return agreement
        }
    }

    /// The latest version of an organisation's agreement.
    package func agreement(of organisationID: String) async throws -> Agreement? {
        try await database.read { db in try Self.agreement(of: organisationID, db) }
    }

    package func policy(of organisationID: String) async throws -> Policy? {
        try await database.read { db in try Self.policy(of: organisationID, db) }
    }

    static func agreement(of organisationID: String, _ db: Database) throws -> Agreement? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT kind, reference, signed_date, cap_days, version, confirm_time FROM agreements
                WHERE organisation_id = ? ORDER BY version DESC LIMIT 1
                """,
            arguments: [organisationID])
        guard let row else { return nil }
        guard let kind = AgreementKind(rawValue: row["kind"]), let date = CalendarDate(row["signed_date"]) else {
            throw StoredValueError.unreadable
        }
        return Agreement(
            organisationID: organisationID, kind: kind, reference: row["reference"], signedDate: date,
            capDays: row["cap_days"], version: row["version"],
            confirmTime: (row["confirm_time"] as Int64?).map(LedgerTime.date(milliseconds:)))
    }

    static func policy(of organisationID: String, _ db: Database) throws -> Policy? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT retention_days, version, agreement_version FROM policies
                WHERE organisation_id = ? ORDER BY version DESC LIMIT 1
                """,
            arguments: [organisationID])
        return row.map { row in
            Policy(
                organisationID: organisationID, retentionDays: row["retention_days"], version: row["version"],
                agreementVersion: row["agreement_version"])
        }
    }

    private static func requireRoomForAgreement(
        of organisationID: String, _ limits: RetentionLimits, _ db: Database
    ) throws {
        let count = try Int.fetchOne(
            db, sql: "SELECT count(*) FROM agreements WHERE organisation_id = ?", arguments: [organisationID])
        guard count ?? 0 < limits.agreementsPerOrganisation else {
            throw RetentionError.tooManyVersions(
                bound: RetentionLimits.agreements, most: limits.agreementsPerOrganisation)
        }
    }

    /// Whoever sets policies without end is refused only while sessions refer to all of them: a controller can always
    /// shorten the retention time once some of its sessions are erased.
    static func requireRoomForPolicy(of organisationID: String, _ limits: RetentionLimits, _ db: Database) throws {
        func hasRoom() throws -> Bool {
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM policies WHERE organisation_id = ?", arguments: [organisationID])
            return count ?? 0 < limits.policiesPerOrganisation
        }
        if try hasRoom() { return }
        try db.execute(
            sql: """
                DELETE FROM policies WHERE organisation_id = ?1
                AND version < (SELECT max(version) FROM policies WHERE organisation_id = ?1)
                AND version NOT IN (
                    SELECT policy_version FROM sessions WHERE organisation_id = ?1 AND erasure <> 'certified')
                """,
            arguments: [organisationID])
        guard try hasRoom() else {
            throw RetentionError.tooManyVersions(
                bound: RetentionLimits.policies, most: limits.policiesPerOrganisation)
        }
    }

    private static func insert(_ agreement: Agreement, at now: Date, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO agreements
                (organisation_id, version, kind, reference, signed_date, cap_days, record_time)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                agreement.organisationID, agreement.version, agreement.kind.rawValue, agreement.reference,
                agreement.signedDate.text, agreement.capDays, LedgerTime.milliseconds(now),
            ])
    }

    static func insert(_ policy: Policy, at now: Date, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO policies (organisation_id, version, retention_days, agreement_version, set_time)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                policy.organisationID, policy.version, policy.retentionDays, policy.agreementVersion,
                LedgerTime.milliseconds(now),
            ])
    }
}
