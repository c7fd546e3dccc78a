import Foundation
internal import GRDB
package import IdentityCore
internal import Storage

extension IdentityStore {
    /// Ends every sign-in and every code that waits: an older file holds again what was used, ended or replaced since.
    package func endEverySignIn(at now: ClockTimes) async throws {
        try await database.write { transaction in
            let db = transaction.db
            let signIns = try Data.fetchAll(db, sql: "SELECT family_hash FROM refresh_family")
                .compactMap { RefreshFamily.signInID(ofStoredFamily: Array($0)) }
            try revoke(signIns, at: now, in: &transaction)
            try db.execute(sql: "DELETE FROM refresh_family")
            try db.execute(
                sql: "UPDATE sign_in_code SET code_hash = NULL, ending = ?, end_time = ? WHERE code_hash IS NOT NULL",
                arguments: [IssuedSignInCode.Ending.revoked.rawValue, now.confirmed.millisecondsSince1970])
        }
    }
}
