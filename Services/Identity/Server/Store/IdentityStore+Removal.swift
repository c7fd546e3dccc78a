internal import Foundation
internal import GRDB
package import IdentityCore
internal import Storage

extension IdentityStore {
    /// Removes an administrator with their code and sign-ins. Their bytes are gone once `purgeRemovals` has returned.
    ///
    /// Two administrators who remove each other at the same time: there is one writer, so the second is the last.
    /// - Throws: `organisationNotFound`, `administratorsOnly`, `administratorNotFound`, also for one of another
    ///   organisation, `lastAdministrator`.
    package func removeAdministrator(
        _ id: String, of organisationID: String, by requester: Requester, at now: ClockTimes
    ) async throws {
        try await database.write(for: .erasing) { transaction in
            let db = transaction.db
            try Self.organisation(organisationID, in: db).requireDecision(of: requester)
            guard try Self.administrator(id, in: db).organisationID == organisationID else {
                throw IdentityError.administratorNotFound
            }
            let isAnotherThere = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM administrator WHERE organisation_id = ? AND id <> ?)",
                arguments: [organisationID, id])
            guard isAnotherThere == true else { throw IdentityError.lastAdministrator }
            let signIns = try Data.fetchAll(
                db, sql: "SELECT family_hash FROM refresh_family WHERE administrator_id = ?", arguments: [id]
            ).compactMap { RefreshFamily.signInID(ofStoredFamily: Array($0)) }
            try revoke(signIns, at: now, in: &transaction)
            try Self.replaceWaitingCode(of: id, at: now.confirmed, in: db)
            // The families go with it. What is on record of codes stays, and names the removed no more.
            try db.execute(sql: "DELETE FROM administrator WHERE id = ?", arguments: [id])
            try db.execute(sql: "INSERT INTO unpurged_removal DEFAULT VALUES")
        }
    }

    /// Rewrites the file if somebody was removed since it last was, so that no byte of them is left in it: after each
    /// removal, and for one that was interrupted.
    package func purgeRemovals() async throws {
        let latest = try await database.read { db in
            try Int64.fetchOne(db, sql: "SELECT max(number) FROM unpurged_removal")
        }
        guard let latest else { return }
        try await database.purge()
        // A removal that came meanwhile has a higher number, and a purge of its own.
        try await database.write { transaction in
            try transaction.db.execute(sql: "DELETE FROM unpurged_removal WHERE number <= ?", arguments: [latest])
        }
    }

    /// Notes sign-ins as revoked, and tells the register once that is durable.
    func revoke(_ signIns: [String], at now: ClockTimes, in transaction: inout WriteTransaction) throws {
        guard !signIns.isEmpty else { return }
        for id in signIns {
            try transaction.db.cachedStatement(
                sql: """
                    INSERT INTO revoked_sign_in (sign_in_id, revoke_time, confirmed_time) VALUES (?, ?, ?)
                    ON CONFLICT (sign_in_id) DO NOTHING
                    """
            ).execute(arguments: [id, now.wall.millisecondsSince1970, now.confirmed.millisecondsSince1970])
        }
        transaction.onCommit { [revocations] in revocations.add(signIns, at: now) }
    }

    /// Fills the register after a start.
    package func loadRevocations(at now: ClockTimes) async throws {
        let revoked = try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT sign_in_id, revoke_time, confirmed_time FROM revoked_sign_in
                    WHERE revoke_time > ? OR confirmed_time > ?
                    ORDER BY revoke_time DESC LIMIT ?
                    """,
                // One more than is kept one by one, so that the register knows that there were more.
                arguments: StatementArguments(Self.latest(at: now) + [Int64(RevokedSignInList.most + 1)])
            ).map { row in
                let times = ClockTimes(
                    wall: Date(millisecondsSince1970: row[1]), confirmed: Date(millisecondsSince1970: row[2]))
                return (id: row[0] as String, times: times)
            }
        }
        for (id, times) in revoked.reversed() { revocations.add([id], at: times, now: now) }
    }

    /// Deletes the rows of revocations that no access token can be good for any more.
    package func forgetRevocations(at now: ClockTimes) async throws {
        try await database.write { transaction in
            try transaction.db.cachedStatement(
                sql: "DELETE FROM revoked_sign_in WHERE revoke_time <= ? AND confirmed_time <= ?"
            ).execute(arguments: StatementArguments(Self.latest(at: now)))
        }
    }

    /// Before which both clocks must be for a revocation to be forgotten (`ClockTimes.isPast`).
    private static func latest(at now: ClockTimes) -> [Int64] {
        [now.wall, now.confirmed].map { ($0 - RevokedSignInList.lifetime).millisecondsSince1970 }
    }
}
