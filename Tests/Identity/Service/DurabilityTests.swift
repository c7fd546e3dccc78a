import Contracts
import Foundation
import IdentityServer
import Privacy
import RPC
import Testing

@Suite("What stays and what is written")
struct DurabilityTests {
    @Test("a restart keeps organisations, administrators, codes, sign-ins and the signing key")
    func restart() async throws {
        try await TemporaryFolder.with { folder in
            let (signedIn, code, keys) = try await RunningIdentity.with(folder: folder) { identity in
                let signedIn = try await identity.signedIn()
                return (
                    signedIn, try await identity.code(for: "karin@example.se"),
                    try await identity.client.listSigningKeys(.init(), options: RunningIdentity.asGateway)
                )
            }
            try await RunningIdentity.with(folder: folder) { identity in
                let administrator = try #require(signedIn.administrator)
                #expect(
                    try await identity.client.listSigningKeys(.init(), options: RunningIdentity.asGateway) == keys)
                // The token from before is still good, and what it shows is still there.
                let listed = try await identity.client.listAdministrators(
                    .init(organisationID: administrator.organisationID),
                    options: RunningIdentity.asAdministrator(signedIn))
                #expect(listed.administrators == [administrator])
                #expect(try await identity.signIn(code).administrator == administrator)
                #expect(try await identity.refresh(signedIn.refreshToken).administrator == administrator)
            }
        }
    }

    @Test("a deleted signing key is replaced: old access tokens end, nobody has to sign in again")
    func newKey() async throws {
        try await TemporaryFolder.with { folder in
            let before = try await RunningIdentity.with(folder: folder) { try await $0.signedIn() }
            try FileManager.default.removeItem(atPath: folder.path + "/identity/signing-key")
            try await RunningIdentity.with(folder: folder) { identity in
                let organisation = IdentityV1.GetOrganisationRequest(
                    organisationID: try #require(before.administrator).organisationID)
                #expect(
                    try await refusal {
                        try await identity.client.getOrganisation(
                            organisation, options: RunningIdentity.asAdministrator(before))
                    } == Refusal(code: .unauthenticated, reason: "TOKEN_INVALID"))
                let after = try await identity.refresh(before.refreshToken)
                let read = try await identity.client.getOrganisation(
                    organisation, options: RunningIdentity.asAdministrator(after))
                #expect(read.organisationID == organisation.organisationID)
            }
        }
    }

    @Test("a second process on the same folder does not start")
    func secondProcess() async throws {
        try await TemporaryFolder.with { folder in
            try await RunningIdentity.with(folder: folder) { identity in
                _ = await #expect(throws: (any Error).self) {
                    try await Identity.start(
                        folder: folder.path + "/identity", clock: SystemWallClock(), logger: identity.logger)
                }
            }
        }
    }

    @Test("no code and no token is in any file, not while running and not afterwards, and their hashes' rows are")
    func hashesOnly() async throws {
        try await TemporaryFolder.with { folder in
            let secrets = try await RunningIdentity.with(folder: folder) { identity in
                let signedIn = try await identity.signedIn()
                let refreshed = try await identity.refresh(signedIn.refreshToken)
                let pending = try await identity.code(for: "karin@example.se")
                let secrets = [
                    pending, signedIn.refreshToken, refreshed.refreshToken, String(refreshed.refreshToken.prefix(26)),
                    String(refreshed.refreshToken.suffix(52)), signedIn.accessToken, refreshed.accessToken,
                ]
                try expectNothing(of: secrets, in: folder)
                return secrets
            }
            try expectNothing(of: secrets, in: folder)
        }
    }

    @Test("nothing that says who somebody is, and no secret, is in the log, whatever fails")
    func silentLog() async throws {
        let log = LogCapture()
        try await TemporaryFolder.with { folder in
            let secrets = try await RunningIdentity.with(folder: folder, log: log) { identity in
                let signedIn = try await identity.signedIn("karin.silfverhielm@example.se")
                let administrator = try #require(signedIn.administrator)
                let organisation = IdentityV1.Organisation(organisationID: administrator.organisationID)
                let refreshed = try await identity.refresh(signedIn.refreshToken)
                let code = try await identity.code(for: "karin.silfverhielm@example.se")
                // Refusals of every kind, with personal data in the requests.
                _ = try await refusal { try await identity.code(for: "nobody.silfverhielm@example.se") }
                _ = try await refusal {
                    try await identity.administrator("karin.silfverhielm@example.se", of: organisation)
                }
                _ = try await refusal {
                    try await identity.administrator("silfverhielm\u{0}@example.se", of: organisation)
                }
                _ = try await refusal { try await identity.administrator(name: "Silfverhielm\u{7}", of: organisation) }
                _ = try await refusal { try await identity.refresh(signedIn.refreshToken) }
                return [code, signedIn.refreshToken, refreshed.refreshToken, signedIn.accessToken, "Karin Berg"]
            }
            #expect(log.text.contains("EMAIL_IN_USE"))
            #expect(!log.text.lowercased().contains("silfverhielm"))
            #expect(!log.text.contains("@"))
            for secret in secrets { #expect(!log.text.contains(secret)) }
        }
    }

    /// Searches every file, as it is and in the writings a program might choose.
    private func expectNothing(of secrets: [String], in folder: TemporaryFolder) throws {
        let contents = try folder.contents()
        #expect(contents.keys.contains("identity/identity.sqlite"))
        // The search finds what is there.
        #expect(contents.contains { $0.value.range(of: Data("karin@example.se".utf8)) != nil })
        for secret in secrets {
            let spellings = [
                Data(secret.utf8), Data(secret.uppercased().utf8), Data(Data(secret.utf8).base64EncodedString().utf8),
            ]
            for (name, data) in contents {
                for spelling in spellings { #expect(data.range(of: spelling) == nil, "found in \(name)") }
            }
        }
    }
}
