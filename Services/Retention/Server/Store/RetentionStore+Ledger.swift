import Foundation
import GRDB
package import Privacy
package import RetentionCore
import Storage

extension RetentionStore {
    /// Writes the next certificate of the ledger, for a session whose content is erased. Number, link and state change
    /// in one transaction, so the chain has neither gaps nor branches. Certified already: the same certificate.
    ///
    /// The anchor has the certificate before the ledger does. If the transaction then fails, it is what comes next: no
    /// number is signed twice.
    ///
    /// - Parameters:
    ///   - region: where retention itself is, as declared.
    ///   - beforeStoring: called when the anchor has the certificate and the ledger has not.
    /// - Throws: `ErasureState.OutOfOrder` when the session's content is not erased; `RetentionError`: `sessionNotFound`,
    ///   `ledgerAnchorUnusable`.
    package func certify(
        _ id: String, signer: LedgerSigner, anchor: LedgerAnchor, region: Region,
        beforeStoring: @escaping @Sendable () throws -> Void = {}
    ) async throws -> Certificate {
        let (certificate, number) = try await database.write(for: .erasing) { transaction in
            let db = transaction.db
            if let found = try Self.numberedCertificate(ofSession: id, db) { return found }
            for certificate in anchor.unstored(after: try Self.ledgerHead(db)) {
                _ = try Self.adopt(certificate, ErasureStatement(reading: certificate.statement), db)
            }
            if let found = try Self.numberedCertificate(ofSession: id, db) { return found }
            guard var session = try Self.session(id, db) else { throw RetentionError.sessionNotFound }
            let head = try Self.ledgerHead(db)
            let number = try anchor.nextNumber(after: head)
            let statement = try Self.statement(number, after: head, for: session, in: region, db)
            let certificate = try signer.certificate(statement)
            try session.erasure.certify()
            try anchor.append(certificate, number: number)
            try beforeStoring()
            try Self.insert(certificate, of: statement, db)
            try Self.update(session, db)
            return (certificate, number)
        }
        anchor.noteStored(through: number)
        return certificate
    }

    /// Puts certificates into the ledger that it lacks: those of an older folder, and those that a crash kept out.
    ///
    /// - Parameter certificates: in the order of their numbers, after the ledger's head.
    /// - Returns: of how many the sessions were not on record as about to be certified.
    func adopt(_ certificates: [(Certificate, ErasureStatement)]) async throws -> Int64 {
        try await database.write(for: .erasing) { transaction in
            var unknown: Int64 = 0
            for (certificate, statement) in certificates
            where try Self.adopt(certificate, statement, transaction.db) { unknown += 1 }
            return unknown
        }
    }

    /// - Returns: whether its session was not on record as about to be certified.
    private static func adopt(
        _ certificate: Certificate, _ statement: ErasureStatement, _ db: Database
    ) throws -> Bool {
        let known = try session(statement.sessionID, db)
        var session = RetainedSession(erasedAs: statement, known: known)
        if known == nil { try insert(session, backstop: statement.erasedTime, db) }
        // What it is certified with first: the certified state leaves it as it is.
        try update(session, db)
        try session.erasure.certify()
        try insert(certificate, of: statement, db)
        try update(session, db)
        guard case .contentErased = known?.erasure else { return true }
        return false
    }

    /// The latest certificate.
    package func ledgerHead() async throws -> LedgerHead {
        try await database.read { db in try Self.ledgerHead(db) }
    }

    private static func ledgerHead(_ db: Database) throws -> LedgerHead {
        let last = try Row.fetchOne(
            db, sql: "SELECT sequence, statement, signature, key_id FROM certificates ORDER BY sequence DESC LIMIT 1")
        return last.map { LedgerHead(sequence: $0["sequence"], hash: certificate($0).hash) } ?? .empty
    }

    /// The certificate of a number.
    func certificate(_ number: Int64) async throws -> Certificate? {
        try await database.read { db in
            try Row.fetchOne(
                db, sql: "SELECT statement, signature, key_id FROM certificates WHERE sequence = ?",
                arguments: [number]
            ).map(Self.certificate)
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

    private static func statement(
        _ number: Int64, after head: LedgerHead, for session: RetainedSession, in region: Region, _ db: Database
    ) throws -> ErasureStatement {
        guard case .contentErased(let trigger, let keyDestroyedTime, let erasedTime) = session.erasure,
            let keys = session.keyDestruction, let content = session.contentErasure
        else { throw ErasureState.OutOfOrder() }
        return ErasureStatement(
            sequence: number, previous: head.hash, gapAfter: number == head.sequence + 1 ? nil : head.sequence,
            restored: try unsaidRestore(db),
            organisationID: session.organisationID, sessionID: session.id, trigger: trigger,
            requester: session.requester, evidence: ErasureEvidence(keys: keys, content: content),
            endTime: session.endTime, deadline: session.deleteTime, keyDestroyedTime: keyDestroyedTime,
            erasedTime: erasedTime, agreementVersion: session.agreementVersion,
            policyVersion: session.policyVersion, retentionDays: Int64(session.retentionDays),
            keyCopiesUntil: try keyCopiesUntil(after: keyDestroyedTime, db),
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
        try noteRestoreSaid(by: statement, db)
    }

    private static func numberedCertificate(ofSession id: String, _ db: Database) throws -> (Certificate, Int64)? {
        try Row.fetchOne(
            db, sql: "SELECT sequence, statement, signature, key_id FROM certificates WHERE session_id = ?",
            arguments: [id]
        ).map { (certificate($0), $0["sequence"]) }
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
