import Foundation
import GRDB
package import Privacy
package import RetentionCore
import Storage

extension RetentionStore {
    /// Writes the next certificate of the ledger, for a session whose content is erased. Number, link and state change
    /// in one transaction, so the chain has neither gaps nor branches. Certified already: the same certificate.
    ///
    /// - Parameter region: where retention itself is, as declared.
    /// - Throws: `ErasureState.OutOfOrder` when the session's content is not erased; `RetentionError.sessionNotFound`.
    package func certify(_ id: String, signer: LedgerSigner, region: Region) async throws -> Certificate {
        try await database.write { transaction in
            let db = transaction.db
            guard var session = try Self.session(id, db) else { throw RetentionError.sessionNotFound }
            if let certificate = try Self.certificate(ofSession: id, db) { return certificate }
            let statement = try Self.nextStatement(for: session, in: region, db)
            let certificate = try signer.certificate(statement)
            try session.erasure.certify()
            try Self.insert(certificate, of: statement, db)
            try Self.update(session, db)
            return certificate
        }
    }

    package func certificate(ofSession id: String) async throws -> Certificate? {
        try await database.read { db in try Self.certificate(ofSession: id, db) }
    }

    /// Certificates by sequence number, rising or falling.
    ///
    /// - Parameters:
    ///   - organisationID: nil: everybody's, the whole chain.
    ///   - sequence: of the one before the first; nil: from the beginning.
    package func certificates(
        organisationID: String?, newestFirst: Bool = false, after sequence: Int64?, limit: Int
    ) async throws -> [Certificate] {
        let start = sequence ?? (newestFirst ? .max : 0)
        let (comes, order) = newestFirst ? ("<", "DESC") : (">", "ASC")
        return try await database.read { db in
            let rows =
                if let organisationID {
                    try Row.fetchAll(
                        db,
                        sql: """
                            SELECT statement, signature, key_id FROM certificates
                            WHERE organisation_id = ? AND sequence \(comes) ? ORDER BY sequence \(order) LIMIT ?
                            """,
                        arguments: [organisationID, start, limit])
                } else {
                    try Row.fetchAll(
                        db,
                        sql: """
                            SELECT statement, signature, key_id FROM certificates
                            WHERE sequence \(comes) ? ORDER BY sequence \(order) LIMIT ?
                            """,
                        arguments: [start, limit])
                }
            return rows.map(Self.certificate)
        }
    }

    /// The key that the latest certificate was signed with; nil while the ledger is empty.
    package func latestKeyID() async throws -> String? {
        try await database.read { db in
            try String.fetchOne(db, sql: "SELECT key_id FROM certificates ORDER BY sequence DESC LIMIT 1")
        }
    }

    private static func nextStatement(
        for session: RetainedSession, in region: Region, _ db: Database
    ) throws -> ErasureStatement {
        guard case .contentErased(let trigger, let keyDestroyedTime, let erasedTime) = session.erasure,
            let keys = session.keyDestruction, let content = session.contentErasure
        else { throw ErasureState.OutOfOrder() }
        let last = try Row.fetchOne(
            db, sql: "SELECT sequence, statement, signature, key_id FROM certificates ORDER BY sequence DESC LIMIT 1")
        let lastSequence: Int64 = last?["sequence"] ?? 0
        return ErasureStatement(
            sequence: lastSequence + 1, previous: last.map { certificate($0).hash } ?? ErasureStatement.noPrevious,
            organisationID: session.organisationID, sessionID: session.id, trigger: trigger,
            requester: session.requester, evidence: ErasureEvidence(keys: keys, content: content),
            endTime: session.endTime, deadline: session.deleteTime, keyDestroyedTime: keyDestroyedTime,
            erasedTime: erasedTime, agreementVersion: session.agreementVersion,
            policyVersion: session.policyVersion, retentionDays: Int64(session.retentionDays),
            regions: DeclaredRegions(chat: session.chatRegion, retention: region))
    }

    private static func insert(_ certificate: Certificate, of statement: ErasureStatement, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO certificates (sequence, session_id, organisation_id, statement, signature, key_id)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                statement.sequence, statement.sessionID, statement.organisationID, certificate.statement,
                Data(certificate.signature), certificate.keyID,
            ])
    }

    private static func certificate(ofSession id: String, _ db: Database) throws -> Certificate? {
        try Row.fetchOne(
            db, sql: "SELECT statement, signature, key_id FROM certificates WHERE session_id = ?", arguments: [id]
        ).map(certificate)
    }

    private static func certificate(_ row: Row) -> Certificate {
        let signature: Data = row["signature"]
        return Certificate(statement: row["statement"], signature: Array(signature), keyID: row["key_id"])
    }
}
