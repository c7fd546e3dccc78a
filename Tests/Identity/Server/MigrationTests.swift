import Foundation
import GRDB
import IdentityCore
import IdentityServer
import Testing

@Suite("A file of an earlier version")
struct MigrationTests {
    /// As the first three migrations left it, with what matters here.
    private static let earlier = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES
            ('1 organisations and administrators'), ('2 sign-in'), ('3 removal of administrators');
        CREATE TABLE organisation (
            id TEXT PRIMARY KEY NOT NULL, display_name TEXT NOT NULL, create_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE administrator (
            id TEXT PRIMARY KEY NOT NULL, organisation_id TEXT NOT NULL REFERENCES organisation (id),
            email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, create_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE pending_sign_in (
            administrator_id TEXT PRIMARY KEY NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
            code_hash BLOB NOT NULL UNIQUE, expire_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE refresh_family (
            family_hash BLOB PRIMARY KEY NOT NULL,
            administrator_id TEXT NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
            current_hash BLOB NOT NULL, expire_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE signing_key (id TEXT PRIMARY KEY NOT NULL, create_time INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE revoked_sign_in (sign_in_id TEXT PRIMARY KEY NOT NULL, revoke_time INTEGER NOT NULL)
            STRICT, WITHOUT ROWID;
        CREATE TABLE unpurged_removal (number INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
        INSERT INTO organisation VALUES ('org-used', 'Example News', 1000), ('org-new', 'Example Bank', 1000);
        INSERT INTO administrator
        VALUES ('adm-1', 'org-used', 'karin@example.se', 'karin@example.se', 'Karin Berg', 1000);
        """

    @Test(
        "codes that the operator could have made for anybody work no more, and no organisation in use is the operator's"
    )
    func signInCodes() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path + "/identity.sqlite"
            var generator = SystemRandomNumberGenerator()
            let code = SignInCode.random(using: &generator)
            let now = Date(timeIntervalSince1970: 1_800_000_000)
            do {
                let queue = try DatabaseQueue(path: path)
                let expiry = Int64((now.timeIntervalSince1970 + 900) * 1000)
                try await queue.write { db in
                    try db.execute(sql: Self.earlier)
                    try db.execute(
                        sql: "INSERT INTO pending_sign_in VALUES ('adm-1', ?, ?)",
                        arguments: [Data(code.hash.bytes), expiry])
                }
                try queue.close()
            }
            let store = try IdentityStore(path: path)
            #expect(try await store.organisation("org-used").firstSignInTime != nil)
            #expect(try await store.organisation("org-new").firstSignInTime == nil)
            let token = RefreshToken.first(using: &generator)
            await #expect(throws: IdentityError.signInCodeRefused) {
                try await store.redeem(code, beginning: token, at: now)
            }
            let email = try EmailAddress("karin@example.se")
            await #expect(throws: IdentityError.administratorsOnly) {
                try await store.issue(code, id: "code-1", to: email, by: .operator, at: now)
            }
            let recorded = try await store.issue(
                code, id: "code-1", to: email, by: .operator, instruction: "Case 1", at: now)
            #expect(recorded.code.state(at: now) == .notYetUsable && recorded.administrator?.id == "adm-1")
            await store.close()
        }
    }
}
