package import Foundation
internal import GRDB
package import IdentityCore
internal import Storage

/// Whom a sign-in is for, as of now.
package struct SignedIn: Sendable, Equatable {
    package let administrator: Administrator
    package let organisation: Organisation
}

/// How a trade of refresh tokens went. A value and no error: what a refusal changed has to be committed, too.
package enum RefreshOutcome: Sendable, Equatable {
    case traded(SignedIn)
    /// No living family has this token.
    case unknown
    /// The family ended with this call.
    case ended(RefreshFamily.Ending)
}

extension IdentityStore {
    /// Stores a new code for the administrator of this address, in place of an earlier one.
    /// - Throws: `administratorNotFound`.
    package func issue(_ code: SignInCode, to email: EmailAddress, at now: Date) async throws -> PendingSignIn {
        try await database.write { transaction in
            guard let administrator = try Self.administrator(email: email, in: transaction.db) else {
                throw IdentityError.administratorNotFound
            }
            let pending = PendingSignIn(administratorID: administrator.id, code: code, now: now)
            try transaction.db.cachedStatement(
                sql: """
                    INSERT INTO pending_sign_in (administrator_id, code_hash, expire_time) VALUES (?, ?, ?)
                    ON CONFLICT (administrator_id)
                    DO UPDATE SET code_hash = excluded.code_hash, expire_time = excluded.expire_time
                    """
            ).execute(
                arguments: [pending.administratorID, pending.codeHash.blob, pending.expireTime.millisecondsSince1970])
            return pending
        }
    }

    /// Uses the code up and begins a family with its first refresh token.
    /// - Throws: `signInCodeRefused`; an expired code is gone then, too.
    package func redeem(_ code: SignInCode, beginning first: RefreshToken, at now: Date) async throws -> SignedIn {
        let signedIn = try await database.write { transaction -> SignedIn? in
            let db = transaction.db
            guard let pending = try Self.takePendingSignIn(code, in: db), pending.accepts(code, at: now) else {
                return nil
            }
            try Self.insert(RefreshFamily(administratorID: pending.administratorID, first: first, now: now), in: db)
            return try Self.signedIn(administratorID: pending.administratorID, in: db)
        }
        guard let signedIn else { throw IdentityError.signInCodeRefused }
        return signedIn
    }

    /// Trades a refresh token for the next. Whatever ends the family is committed.
    package func trade(_ token: RefreshToken, for next: RefreshToken, at now: Date) async throws -> RefreshOutcome {
        try await database.write { transaction in
            let db = transaction.db
            guard var family = try Self.family(of: token, in: db) else { return .unknown }
            family.trade(token, for: next, at: now)
            try store(family, at: now, in: &transaction)
            return switch family.state {
            case .live: .traded(try Self.signedIn(administratorID: family.administratorID, in: db))
            case .ended(let ending): .ended(ending)
            }
        }
    }

    /// Ends the token's family, whichever of its tokens this is, and its access tokens with it. Does nothing for a token
    /// of no family.
    package func revoke(_ token: RefreshToken, at now: Date) async throws {
        try await database.write { transaction in
            guard var family = try Self.family(of: token, in: transaction.db) else { return }
            family.revoke()
            try store(family, at: now, in: &transaction)
        }
    }

    /// Deletes the codes and families whose time is up.
    /// - Returns: how many rows went.
    package func forgetExpired(at now: Date) async throws -> Int {
        try await database.write { transaction in
            var deleted = 0
            for table in ["pending_sign_in", "refresh_family"] {
                try transaction.db.cachedStatement(sql: "DELETE FROM \(table) WHERE expire_time <= ?")
                    .execute(arguments: [now.millisecondsSince1970])
                deleted += transaction.db.changesCount
            }
            return deleted
        }
    }
}

extension IdentityStore {
    private static func takePendingSignIn(_ code: SignInCode, in db: Database) throws -> PendingSignIn? {
        let statement = try db.cachedStatement(
            sql: "DELETE FROM pending_sign_in WHERE code_hash = ? RETURNING administrator_id, code_hash, expire_time")
        guard let row = try Row.fetchOne(statement, arguments: [code.hash.blob]), let hash = SecretHash(blob: row[1])
        else { return nil }
        return PendingSignIn(
            administratorID: row[0], codeHash: hash, expireTime: Date(millisecondsSince1970: row[2]))
    }

    private static func signedIn(administratorID: String, in db: Database) throws -> SignedIn {
        let administrator = try administrator(administratorID, in: db)
        return SignedIn(
            administrator: administrator, organisation: try organisation(administrator.organisationID, in: db))
    }

    private static func family(of token: RefreshToken, in db: Database) throws -> RefreshFamily? {
        let statement = try db.cachedStatement(
            sql: "SELECT administrator_id, current_hash, expire_time FROM refresh_family WHERE family_hash = ?")
        guard let row = try Row.fetchOne(statement, arguments: [token.familyHash.blob]),
            let current = SecretHash(blob: row[1])
        else { return nil }
        return RefreshFamily(
            familyHash: token.familyHash, administratorID: row[0], current: current,
            expireTime: Date(millisecondsSince1970: row[2]))
    }

    private static func insert(_ family: RefreshFamily, in db: Database) throws {
        guard case .live(let current, let expireTime) = family.state else { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO refresh_family (family_hash, administrator_id, current_hash, expire_time)
                VALUES (?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                family.familyHash.blob, family.administratorID, current.blob, expireTime.millisecondsSince1970,
            ])
    }

    /// Writes a stored family's new state. One that has ended is forgotten: its refresh tokens are as good as never
    /// issued, and its access tokens are refused.
    private func store(_ family: RefreshFamily, at now: Date, in transaction: inout WriteTransaction) throws {
        switch family.state {
        case .live(let current, let expireTime):
            try transaction.db.cachedStatement(
                sql: "UPDATE refresh_family SET current_hash = ?, expire_time = ? WHERE family_hash = ?"
            ).execute(arguments: [current.blob, expireTime.millisecondsSince1970, family.familyHash.blob])
        case .ended:
            try transaction.db.cachedStatement(sql: "DELETE FROM refresh_family WHERE family_hash = ?")
                .execute(arguments: [family.familyHash.blob])
            try revoke([family.signInID], at: now, in: &transaction)
        }
    }
}
