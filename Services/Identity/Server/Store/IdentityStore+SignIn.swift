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
    /// Uses the code up and begins a family with its first refresh token.
    /// - Throws: `signInCodeRefused`, `signInCodeNotYetUsable`.
    package func redeem(_ code: SignInCode, beginning first: RefreshToken, at now: Date) async throws -> SignedIn {
        try await database.write(for: .erasing) { transaction -> SignedIn in
            let db = transaction.db
            guard var issued = try Self.waitingCode(code, in: db), let id = issued.administratorID else {
                throw IdentityError.signInCodeRefused
            }
            try issued.redeem(at: now)
            try Self.storeEnding(of: issued, in: db)
            try db.cachedStatement(
                sql: "UPDATE organisation SET first_sign_in_time = ? WHERE id = ? AND first_sign_in_time IS NULL"
            ).execute(arguments: [now.millisecondsSince1970, issued.organisationID])
            // The organisation has begun: what was made before by the operator, who set it up, signs nobody in any more.
            if db.changesCount > 0 { try Self.endWaitingCodes(of: issued.organisationID, at: now, in: db) }
            try Self.insert(RefreshFamily(administratorID: id, first: first, now: now), in: db)
            return try Self.signedIn(administratorID: id, in: db)
        }
    }

    /// Trades a refresh token for the next. Whatever ends the family is committed.
    package func trade(
        _ token: RefreshToken, for next: RefreshToken, at now: ClockTimes
    ) async throws -> RefreshOutcome {
        try await database.write(for: .erasing) { transaction in
            let db = transaction.db
            guard var family = try Self.family(of: token, in: db) else { return .unknown }
            family.trade(token, for: next, at: now.confirmed)
            try store(family, at: now, in: &transaction)
            return switch family.state {
            case .live: .traded(try Self.signedIn(administratorID: family.administratorID, in: db))
            case .ended(let ending): .ended(ending)
            }
        }
    }

    /// Ends the token's family, whichever of its tokens this is, and its access tokens with it. Does nothing for a token
    /// of no family.
    package func revoke(_ token: RefreshToken, at now: ClockTimes) async throws {
        try await database.write(for: .erasing) { transaction in
            guard var family = try Self.family(of: token, in: transaction.db) else { return }
            family.revoke()
            try store(family, at: now, in: &transaction)
        }
    }

    /// Deletes the families whose time is up, and of codes what is no longer needed.
    /// - Returns: how many families and codes.
    package func forgetExpired(at now: Date) async throws -> Int {
        try await database.write { transaction in
            let db = transaction.db
            try db.cachedStatement(sql: "DELETE FROM refresh_family WHERE expire_time <= ?")
                .execute(arguments: [now.millisecondsSince1970])
            return try db.changesCount + Self.forgetCodes(at: now, in: db)
        }
    }
}

extension IdentityStore {
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
    private func store(
        _ family: RefreshFamily, at now: ClockTimes, in transaction: inout WriteTransaction
    ) throws {
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
