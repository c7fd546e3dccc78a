package import Foundation
internal import GRDB
package import IdentityCore
internal import Storage

/// A code on record, with the administrators that it names as far as they are there.
package struct RecordedSignInCode: Sendable, Equatable {
    package let code: IssuedSignInCode
    /// Whom it signs in.
    package let administrator: Administrator?
    /// The administrator who made it.
    package let madeBy: Administrator?
}

extension IdentityStore {
    /// Stores a new code for the administrator of this address, in place of an earlier one.
    /// - Parameter organisationID: the administrator's; nil: whichever it is.
    /// - Throws: `administratorNotFound`, `administratorsOnly`, `tooManySignInCodes`, `invalidField`.
    package func issue(
        _ code: SignInCode, id: String, to email: EmailAddress, in organisationID: String? = nil,
        by maker: Requester, instruction: String = "", at now: Date
    ) async throws -> RecordedSignInCode {
        try await database.write { [limits] transaction in
            let db = transaction.db
            guard let administrator = try Self.administrator(email: email, in: db),
                organisationID == nil || organisationID == administrator.organisationID
            else { throw IdentityError.administratorNotFound }
            let organisation = try Self.organisation(administrator.organisationID, in: db)
            let issued = try IssuedSignInCode(
                id: id, for: administrator, of: organisation, by: maker, instruction: instruction, now: now)
            try Self.requireRoom(for: issued, limits, in: db)
            try Self.replaceWaitingCode(of: administrator.id, at: now, in: db)
            try Self.insert(issued, hash: code.hash, in: db)
            return try Self.recorded(issued, in: db)
        }
    }

    /// The organisation's codes, the newest first, `limit` at most.
    /// - Throws: `organisationNotFound`.
    package func signInCodes(
        of organisationID: String, after position: ListPosition?, limit: Int
    ) async throws -> [RecordedSignInCode] {
        try await database.read { db in
            _ = try Self.organisation(organisationID, in: db)
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(IssuedSignInCode.columns) FROM sign_in_code
                    WHERE organisation_id = ? AND (create_time, id) < (?, ?)
                    ORDER BY create_time DESC, id DESC LIMIT ?
                    """)
            let latest: StatementArguments = [position?.createTime.millisecondsSince1970 ?? .max, position?.id ?? ""]
            return try Row.fetchAll(statement, arguments: [organisationID] + latest + [limit])
                .map { try Self.recorded(IssuedSignInCode(row: $0), in: db) }
        }
    }

    /// Ends a code before it is used.
    /// - Throws: `organisationNotFound`, `signInCodeNotFound`, also for one of another organisation, `signInCodeEnded`.
    package func revokeSignInCode(
        _ id: String, of organisationID: String, at now: Date
    ) async throws -> RecordedSignInCode {
        try await database.write { transaction in
            let db = transaction.db
            _ = try Self.organisation(organisationID, in: db)
            guard var issued = try Self.code(where: "id = ? AND organisation_id = ?", [id, organisationID], in: db)
            else { throw IdentityError.signInCodeNotFound }
            try issued.revoke(at: now)
            try Self.storeEnding(of: issued, in: db)
            return try Self.recorded(issued, in: db)
        }
    }
}

extension IdentityStore {
    /// The code with this text, unless it has ended.
    static func waitingCode(_ code: SignInCode, in db: Database) throws -> IssuedSignInCode? {
        try self.code(where: "code_hash = ?", [code.hash.blob], in: db)
    }

    /// Ends the code that an administrator has and has not used.
    static func replaceWaitingCode(of administratorID: String, at now: Date, in db: Database) throws {
        let condition = "administrator_id = ? AND code_hash IS NOT NULL"
        guard var issued = try code(where: condition, [administratorID], in: db) else { return }
        issued.replace(at: now)
        try storeEnding(of: issued, in: db)
    }

    /// Ends every code of an organisation that was not used.
    static func endWaitingCodes(of organisationID: String, at now: Date, in db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE sign_in_code SET code_hash = NULL, ending = ?, end_time = ?
                WHERE organisation_id = ? AND code_hash IS NOT NULL
                """
        ).execute(arguments: [
            IssuedSignInCode.Ending.replaced.rawValue, now.millisecondsSince1970, organisationID,
        ])
    }

    /// Stores how a code ended, and forgets its hash.
    static func storeEnding(of issued: IssuedSignInCode, in db: Database) throws {
        try db.cachedStatement(
            sql: "UPDATE sign_in_code SET code_hash = NULL, ending = ?, end_time = ? WHERE id = ?"
        ).execute(arguments: [issued.ending?.rawValue, issued.endTime?.millisecondsSince1970, issued.id])
    }

    /// Forgets the hashes of expired codes, and records that are old.
    /// - Returns: how many codes expired and records went.
    static func forgetCodes(at now: Date, in db: Database) throws -> Int {
        try db.cachedStatement(
            sql: "UPDATE sign_in_code SET code_hash = NULL WHERE code_hash IS NOT NULL AND expire_time <= ?"
        ).execute(arguments: [now.millisecondsSince1970])
        var count = db.changesCount
        for (condition, lifetime) in [("=", Lifetime.operatorCodeRecord), ("<>", Lifetime.codeRecord)] {
            try db.cachedStatement(
                sql: """
                    DELETE FROM sign_in_code
                    WHERE maker \(condition) '\(Requester.operatorName)' AND create_time <= ? AND code_hash IS NULL
                    """
            ).execute(arguments: [(now - lifetime).millisecondsSince1970])
            count += db.changesCount
        }
        return count
    }

    private static func code(
        where condition: String, _ arguments: StatementArguments, in db: Database
    ) throws -> IssuedSignInCode? {
        let statement = try db.cachedStatement(
            sql: "SELECT \(IssuedSignInCode.columns) FROM sign_in_code WHERE \(condition)")
        return try Row.fetchOne(statement, arguments: arguments).map(IssuedSignInCode.init)
    }

    private static func recorded(_ issued: IssuedSignInCode, in db: Database) throws -> RecordedSignInCode {
        RecordedSignInCode(
            code: issued, administrator: try issued.administratorID.map { try administrator($0, in: db) },
            madeBy: try issued.maker.administratorID.map { try administrator($0, in: db) })
    }

    private static func requireRoom(
        for issued: IssuedSignInCode, _ limits: IdentityLimits, in db: Database
    ) throws {
        let (bound, most) =
            issued.maker == .operator
            ? (IdentityLimits.operatorCodes, limits.operatorCodesPerOrganisation)
            : (IdentityLimits.codes, limits.codesPerOrganisation)
        let statement = try db.cachedStatement(
            sql: "SELECT count(*) FROM sign_in_code WHERE organisation_id = ? AND maker = ?")
        let count = try Int.fetchOne(statement, arguments: [issued.organisationID, issued.maker.name]) ?? 0
        guard count < most else { throw IdentityError.tooManySignInCodes(bound: bound, most: most) }
    }

    private static func insert(_ issued: IssuedSignInCode, hash: SecretHash, in db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO sign_in_code (\(IssuedSignInCode.columns), code_hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)
                """
        ).execute(
            arguments: [
                issued.id, issued.organisationID, issued.administratorID, issued.maker.name,
                issued.maker.administratorID, issued.instruction, issued.createTime.millisecondsSince1970,
                issued.usableTime.millisecondsSince1970, issued.expireTime.millisecondsSince1970, hash.blob,
            ])
    }
}
