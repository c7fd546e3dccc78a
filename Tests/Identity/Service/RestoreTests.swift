import Contracts
import Foundation
import RPC
import Testing

@Suite("A copy of identity's folder that is put back")
struct RestoreTests {
    /// As `samtal restore` leaves it.
    private func mark(_ folder: TemporaryFolder, endsSignIns: Bool) throws {
        let text = """
            {"copyTime":"2026-02-07T10:00:00Z","endsSignIns":\(endsSignIns),"restoreTime":"2026-02-08T10:00:00Z"}
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/identity/restored"))
    }

    @Test("ends every sign-in and every code that waits, if that was asked for", arguments: [true, false])
    func endsSignIns(isAsked: Bool) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var (tokens, code) = (IdentityV1.SignInResponse(), "")
        try await RunningIdentity.with(folder: folder) { identity in
            let organisation = try await identity.organisation()
            _ = try await identity.administrator("karin@example.se", of: organisation)
            _ = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
            tokens = try await identity.signIn(identity.code(for: "karin@example.se"))
            code = try await identity.code(for: "bo@example.se")
        }
        try mark(folder, endsSignIns: isAsked)
        try await RunningIdentity.with(folder: folder) { identity in
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/identity/restored"))
            let renewed = try await refusal {
                try await identity.client.refreshTokens(.init(refreshToken: tokens.refreshToken))
            }
            #expect(renewed == (isAsked ? Refusal.refreshTokenInvalid : nil))
            let signedIn = try await refusal { try await identity.client.signIn(.init(code: code)) }
            #expect(signedIn == (isAsked ? Refusal.codeInvalid : nil))
        }
    }
}
