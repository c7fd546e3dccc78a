import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("Who may do what")
struct AccessTests {
    @Test("an administrator works in their own organisation, and any other is as if it did not exist")
    func ownOrganisation() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn("karin@example.se", organisation: "Example News")
            let own = try #require(karin.administrator).organisationID
            let other = try await identity.signedIn("bo@example.org", organisation: "Example Bank")
            let others = try #require(other.administrator).organisationID
            let options = RunningIdentity.asAdministrator(karin)
            let client = identity.client

            #expect(
                try await client.getOrganisation(.init(organisationID: own), options: options).displayName
                    == "Example News")
            let added = try await client.addAdministrator(
                .init(organisationID: own, email: "eva@example.se", displayName: "Eva Ek"), options: options)
            let listed = try await client.listAdministrators(.init(organisationID: own), options: options)
            #expect(Set(listed.administrators.map(\.administratorID)).contains(added.administratorID))

            for id in [others, "org-none"] {
                #expect(
                    try await refusal { try await client.getOrganisation(.init(organisationID: id), options: options) }
                        == .organisationNotFound)
                #expect(
                    try await refusal {
                        try await client.listAdministrators(.init(organisationID: id), options: options)
                    } == .organisationNotFound)
                #expect(
                    try await refusal {
                        try await client.addAdministrator(
                            .init(organisationID: id, email: "x@example.se", displayName: "X"), options: options)
                    } == .organisationNotFound)
            }
        }
    }

    @Test("an administrator's token keeps a call to their organisation even from the operator's process")
    func operatorWithToken() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn()
            let other = try await identity.organisation("Example Bank")
            let options = CallOptions(
                metadata: ["samtal-role": "operator", "authorization": "Bearer \(karin.accessToken)"],
                timeout: .seconds(20))
            #expect(
                try await refusal {
                    try await identity.client.getOrganisation(
                        .init(organisationID: other.organisationID), options: options)
                } == .organisationNotFound)
        }
    }

    @Test("what is the operator's alone is refused to the gateway, with and without an administrator's token")
    func operatorOnly() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn()
            let denied = Refusal(code: .permissionDenied, reason: "ROLE_NOT_ALLOWED")
            for options in [RunningIdentity.asGateway, RunningIdentity.asAdministrator(karin)] {
                #expect(
                    try await refusal {
                        try await identity.client.createOrganisation(.init(displayName: "Example"), options: options)
                    } == denied)
                #expect(
                    try await refusal { try await identity.client.listOrganisations(.init(), options: options) }
                        == denied)
            }
        }
    }

    @Test("without a token, with a made-up one and with an expired one nothing of an organisation is told")
    func tokens() async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            _ = try await identity.administrator(of: organisation)
            identity.clock.set(Date() - 3600)
            let expired = try await identity.signIn(identity.code(for: "karin@example.se"))
            identity.clock.set(Date())
            let halves = expired.accessToken.split(separator: ".")
            let unsigned = "\(halves[0]).\(halves[1])."

            func read(_ options: CallOptions) async throws -> Refusal? {
                try await refusal {
                    try await identity.client.getOrganisation(
                        .init(organisationID: organisation.organisationID), options: options)
                }
            }
            #expect(
                try await read(RunningIdentity.asGateway)
                    == Refusal(code: .unauthenticated, reason: "TOKEN_REQUIRED"))
            #expect(
                try await read(RunningIdentity.asAdministrator(expired))
                    == Refusal(code: .unauthenticated, reason: "TOKEN_EXPIRED"))
            for forged in ["x", "a.b.c", unsigned, "\(halves[0]).e30.\(halves[2])"] {
                #expect(
                    try await read(RunningIdentity.asAdministrator(.init(accessToken: forged)))
                        == Refusal(code: .unauthenticated, reason: "TOKEN_INVALID"))
            }
        }
    }
}
