import Contracts
import Foundation
import IdentityCore
import IdentityServer
import Logging
import Privacy
import RPC
import ServiceKit
import Testing

@Suite("Removing an administrator")
struct RemovalTests {
    private static let last = Refusal(code: .failedPrecondition, reason: "LAST_ADMINISTRATOR")
    private static let unknown = Refusal(code: .notFound, reason: "ADMINISTRATOR_NOT_FOUND")
    private static let ended = Refusal(code: .unauthenticated, reason: "SIGN_IN_ENDED")
    private static var asService: CallOptions {
        CallOptions(metadata: ["samtal-role": "service"], timeout: .seconds(20))
    }

    private func remove(
        _ administrator: IdentityV1.Administrator, _ identity: RunningIdentity,
        options: CallOptions? = nil
    ) async throws {
        let request = IdentityV1.RemoveAdministratorRequest(
            organisationID: administrator.organisationID, administratorID: administrator.administratorID)
        if let options {
            _ = try await identity.client.removeAdministrator(request, options: options)
        } else {
            try await identity.asWhoeverMay { options in
                _ = try await identity.client.removeAdministrator(request, options: options)
            }
        }
    }

    /// What services are told.
    private func told(_ identity: RunningIdentity) async throws -> [String] {
        try await identity.client.listRevokedSignIns(.init(), options: Self.asService).signInIDs
    }

    /// Two administrators of one organisation, both signed in.
    private func pair(
        _ identity: RunningIdentity
    ) async throws -> (karin: IdentityV1.SignInResponse, bo: IdentityV1.SignInResponse) {
        let organisation = try await identity.organisation()
        _ = try await identity.administrator("karin@example.se", of: organisation)
        _ = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
        return (
            try await identity.signIn(identity.code(for: "karin@example.se")),
            try await identity.signIn(identity.code(for: "bo@example.se"))
        )
    }

    private func list(_ identity: RunningIdentity, as signedIn: IdentityV1.SignInResponse) async throws -> [String] {
        try await identity.client.listAdministrators(
            .init(organisationID: signedIn.administrator?.organisationID ?? ""),
            options: RunningIdentity.asAdministrator(signedIn)
        ).administrators.map(\.displayName)
    }

    @Test(
        "an administrator removes another: they are listed no more, and neither code, refresh token nor access token works"
    )
    func removed() async throws {
        try await RunningIdentity.with { identity in
            let (karin, bo) = try await pair(identity)
            let code = try await identity.code(for: "bo@example.se")
            #expect(try await list(identity, as: bo).sorted() == ["Bo Ek", "Karin Berg"])
            try await remove(
                try #require(bo.administrator), identity, options: RunningIdentity.asAdministrator(karin))

            #expect(try await list(identity, as: karin) == ["Karin Berg"])
            #expect(try await refusal { try await identity.signIn(code) } == .codeInvalid)
            #expect(try await refusal { try await identity.refresh(bo.refreshToken) } == .refreshTokenInvalid)
            #expect(try await refusal { try await list(identity, as: bo) } == Self.ended)
            #expect(try await refusal { try await identity.code(for: "bo@example.se") } == Self.unknown)
            // The other's sign-in is untouched, and the address is free again.
            #expect(try await identity.refresh(karin.refreshToken).administrator?.displayName == "Karin Berg")
            let organisation = IdentityV1.Organisation(
                organisationID: try #require(karin.administrator).organisationID)
            let again = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
            #expect(again.administratorID != bo.administrator?.administratorID)
        }
    }

    @Test("an organisation's last administrator stays; whoever is not there is not found")
    func last() async throws {
        try await RunningIdentity.with { identity in
            let (karin, bo) = try await pair(identity)
            let other = try await identity.signedIn("eva@example.org", organisation: "Example Bank")
            let (first, second) = (try #require(karin.administrator), try #require(bo.administrator))
            // Themselves, while another is there.
            try await remove(second, identity, options: RunningIdentity.asAdministrator(bo))
            let options = RunningIdentity.asAdministrator(karin)
            #expect(try await refusal { try await remove(first, identity, options: options) } == Self.last)
            #expect(try await refusal { try await remove(second, identity, options: options) } == Self.unknown)
            #expect(try await list(identity, as: karin) == ["Karin Berg"])
            // Another organisation's is not there, under either organisation's id.
            let foreign = try #require(other.administrator)
            #expect(
                try await refusal {
                    try await remove(foreign, identity, options: RunningIdentity.asAdministrator(karin))
                } == .organisationNotFound)
            let disguised = IdentityV1.Administrator(
                administratorID: foreign.administratorID, organisationID: first.organisationID)
            #expect(try await refusal { try await remove(disguised, identity, options: options) } == Self.unknown)
            #expect(try await list(identity, as: other) == ["Karin Berg"])
            for id in ["", "a b", "../x", "Å", String(repeating: "a", count: 65)] {
                let hostile = IdentityV1.Administrator(
                    administratorID: id, organisationID: first.organisationID)
                #expect(try await refusal { try await remove(hostile, identity) } == .invalid("administrator_id"))
            }
        }
    }

    @Test("administrators who all remove each other at once leave exactly one")
    func race() async throws {
        try await RunningIdentity.with { identity in
            for round in 0..<5 {
                let organisation = try await identity.organisation()
                var everybody: [IdentityV1.SignInResponse] = []
                for number in 0..<4 {
                    let email = "a\(round)-\(number)@example.se"
                    _ = try await identity.administrator(email, of: organisation)
                    everybody.append(try await identity.signIn(identity.code(for: email)))
                }
                let all = everybody
                await withTaskGroup(of: Void.self) { group in
                    for remover in all {
                        for removed in all {
                            guard let administrator = removed.administrator else { continue }
                            group.addTask {
                                try? await remove(
                                    administrator, identity, options: RunningIdentity.asAdministrator(remover))
                            }
                        }
                    }
                }
                let left = try await identity.client.listAdministrators(
                    .init(organisationID: organisation.organisationID), options: RunningIdentity.asOperator)
                #expect(left.administrators.count == 1)
            }
        }
    }

    @Test("every byte of the person was in identity's files, and none is when the call returns, nor after a restart")
    func bytes() async throws {
        try await TemporaryFolder.with { folder in
            let words = ["Silfverhielm", "karin.silfverhielm@example.se", "karin.silfverhielm"]
            try await RunningIdentity.with(folder: folder) { identity in
                let organisation = try await identity.organisation()
                let karin = try await identity.administrator(
                    "Karin.Silfverhielm@Example.SE", name: "Karin Silfverhielm", of: organisation)
                _ = try await identity.signIn(identity.code(for: "karin.silfverhielm@example.se"))
                _ = try await identity.code(for: "karin.silfverhielm@example.se")
                // Enough that a row lies in pages of its own, is split from, and leaves gaps.
                for number in 0..<190 {
                    _ = try await identity.administrator(
                        "a\(number)@example.se", name: "Bo Ek \(number)", of: organisation)
                }
                let sought = words + [karin.administratorID]
                for word in sought { #expect(try found(word, in: folder), "\(word) is there before") }
                try await remove(karin, identity)
                for word in sought { #expect(try !found(word, in: folder), "\(word) is there after") }
                #expect(try found("Bo Ek 189", in: folder))
            }
            for word in words { #expect(try !found(word, in: folder), "\(word) is there after a restart") }
        }
    }

    @Test("a removal that was interrupted before the file was rewritten is finished by the next start")
    func interrupted() async throws {
        try await TemporaryFolder.with { folder in
            let clock = ManualWallClock(Date())
            let karin = try await RunningIdentity.with(folder: folder) { identity in
                let organisation = try await identity.organisation()
                _ = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
                return try await identity.administrator(
                    "karin.silfverhielm@example.se", name: "Karin Silfverhielm", of: organisation)
            }
            // As a crash leaves it: the row is gone, and the note that the file is to be rewritten is there.
            let database = folder.path + "/identity/identity.sqlite"
            let store = try IdentityStore(path: database)
            try await store.removeAdministrator(
                karin.administratorID, of: karin.organisationID, by: .operator,
                at: ClockTimes(wall: clock.now(), confirmed: clock.now()))
            #expect(try found("Silfverhielm", in: folder))
            let sweep = ExpirySweep(
                store: store, clock: GuardedClock(clock, stored: nil),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let running = Task { try await sweep.run() }
            for _ in 0..<1000 {
                if try !found("Silfverhielm", in: folder) { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            running.cancel()
            _ = await running.result
            #expect(try !found("Silfverhielm", in: folder))
            await store.close()
        }
    }

    @Test("signing out, and a refresh token that is used twice, end the access tokens of that sign-in and no other's")
    func signOut() async throws {
        try await RunningIdentity.with { identity in
            let (karin, bo) = try await pair(identity)
            let elsewhere = try await identity.signIn(identity.code(for: "karin@example.se"))
            _ = try await identity.client.revokeTokens(
                .init(refreshToken: karin.refreshToken), options: RunningIdentity.asGateway)
            #expect(try await refusal { try await list(identity, as: karin) } == Self.ended)
            #expect(try await list(identity, as: elsewhere).count == 2)

            let next = try await identity.refresh(bo.refreshToken)
            _ = try await refusal { try await identity.refresh(bo.refreshToken) }
            for used in [bo, next] { #expect(try await refusal { try await list(identity, as: used) } == Self.ended) }
            #expect(try await list(identity, as: elsewhere).count == 2)
        }
    }

    @Test("services are told which sign-ins ended, for eleven minutes, across a restart; nobody else is")
    func toldToServices() async throws {
        try await TemporaryFolder.with { folder in
            let clock = ManualWallClock(Date())
            let bo = try await RunningIdentity.with(folder: folder, clock: clock) { identity in
                let (karin, bo) = try await pair(identity)
                let options = RunningIdentity.asAdministrator(karin)
                #expect(try await told(identity).isEmpty)
                try await remove(try #require(bo.administrator), identity, options: options)
                #expect(try await told(identity).count == 1)
                for other in [RunningIdentity.asOperator, RunningIdentity.asGateway, options] {
                    #expect(
                        try await refusal {
                            try await identity.client.listRevokedSignIns(.init(), options: other)
                        } == Refusal(code: .permissionDenied, reason: "ROLE_NOT_ALLOWED"))
                }
                return bo
            }
            try await RunningIdentity.with(folder: folder, clock: clock) { identity in
                let kept = try await told(identity)
                #expect(kept.count == 1)
                #expect(try await refusal { try await list(identity, as: bo) } == Self.ended)
                clock.advance(by: 658)
                #expect(try await told(identity).count == 1)
                clock.advance(by: 3)
                #expect(try await told(identity).isEmpty)
            }
        }
    }

    /// Whether a file holds the word as it is or in a writing that a program might choose, in any letter case.
    private func found(_ word: String, in folder: TemporaryFolder) throws -> Bool {
        let lower = word.lowercased()
        let spellings = try [
            lower.data(using: .utf16LittleEndian), lower.data(using: .utf16BigEndian), Data(lower.utf8),
        ]
        .map { try #require($0) }
        // Base64 of what stands before and after it is not known: three alignments, without the ends.
        let encoded = [word, lower, word.uppercased()].flatMap { spelling in
            (0..<3).map { offset -> Data in
                let padded = Data(repeating: 0, count: offset) + Data(spelling.utf8)
                let text = padded.prefix(padded.count / 3 * 3).base64EncodedString()
                return Data(text.dropFirst(offset == 0 ? 0 : 4).utf8)
            }
        }
        return try folder.contents().values.contains { content in
            let folded = Data(content.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 })
            return spellings.contains { folded.range(of: $0) != nil }
                || encoded.contains { content.range(of: $0) != nil }
        }
    }
}
