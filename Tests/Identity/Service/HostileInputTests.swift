import Contracts
import Foundation
import NIOCore
import RPC
import Testing

@Suite("Hostile input over the socket")
struct HostileInputTests {
    /// As much as a request may hold, and more than any field may.
    private static let long = String(repeating: "a", count: 3_900)

    @Test(
        "an organisation's name has 1 to 200 characters and no control characters",
        arguments: [
            "", "   ", "\u{3164}", "\u{2060}\u{2800}", "a\u{0}b", "a\u{7}b", "\u{1B}[2J",
            String(repeating: "å", count: 201), long,
        ])
    func organisationName(_ name: String) async throws {
        try await RunningIdentity.with { identity in
            let refused = try await refusal { try await identity.organisation(name) }
            #expect(refused == .invalid("display_name"))
            let longest = try await identity.organisation(String(repeating: "å", count: 200))
            #expect(longest.displayName.count == 200)
        }
    }

    @Test(
        "an administrator's name has 1 to 100 characters",
        arguments: [
            "", "\u{3164}", "\u{301}", "a\u{0}b", "a\u{202E}b", "a" + String(repeating: "\u{301}", count: 32),
            String(repeating: "a", count: 101), long,
        ])
    func administratorName(_ name: String) async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            #expect(
                try await refusal { try await identity.administrator(name: name, of: organisation) }
                    == .invalid("display_name"))
        }
    }

    @Test(
        "what is no e-mail address is refused wherever one is asked for",
        arguments: [
            "", "\u{2800}", "karin", "karin@example.se\u{0}", "karin@example.se\r\nBcc: x@example.se",
            long + "@example.se",
        ])
    func email(_ email: String) async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            #expect(
                try await refusal { try await identity.administrator(email, of: organisation) } == .invalid("email"))
            #expect(try await refusal { try await identity.code(for: email) } == .invalid("email"))
        }
    }

    @Test(
        "an organisation's id is an identifier",
        arguments: ["", "ORG", "org 1", "org/1", "org\u{0}", "' OR 1=1 --", long])
    func organisationID(_ id: String) async throws {
        try await RunningIdentity.with { identity in
            let signedIn = try await identity.signedIn()
            for options in [RunningIdentity.asOperator, RunningIdentity.asAdministrator(signedIn)] {
                #expect(
                    try await refusal {
                        try await identity.client.getOrganisation(.init(organisationID: id), options: options)
                    } == .invalid("organisation_id"))
            }
        }
    }

    @Test(
        "a page token that no list gave is refused",
        arguments: ["x", "1", "MS5h!", "eC5vcmc", "\u{0}", "fffffffffffffffff", long])
    func pageToken(_ token: String) async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            #expect(
                try await refusal {
                    try await identity.client.listOrganisations(
                        .init(pageToken: token), options: RunningIdentity.asOperator)
                } == .invalid("page_token"))
            #expect(
                try await refusal {
                    try await identity.client.listAdministrators(
                        .init(organisationID: organisation.organisationID, pageToken: token),
                        options: RunningIdentity.asOperator)
                } == .invalid("page_token"))
        }
    }

    @Test("a missing secret names its field, and a wrong one of any shape is refused as unknown")
    func secrets() async throws {
        try await RunningIdentity.with { identity in
            #expect(try await refusal { try await identity.signIn("") } == .invalid("code"))
            #expect(try await refusal { try await identity.refresh("") } == .invalid("refresh_token"))
            #expect(
                try await refusal {
                    try await identity.client.revokeTokens(.init(), options: RunningIdentity.asGateway)
                } == .invalid("refresh_token"))
            #expect(try await refusal { try await identity.signIn("a\u{0}") } == .invalid("code"))
            for text in ["x", String(repeating: "a", count: 26), String(repeating: "a", count: 78), Self.long, "ååå"] {
                let asCode = try await refusal { try await identity.signIn(text) }
                #expect(asCode == .codeInvalid)
                let asToken = try await refusal { try await identity.refresh(text) }
                #expect(asToken == .refreshTokenInvalid)
            }
        }
    }

    @Test("a request larger than its method takes is refused before it is read")
    func tooLarge() async throws {
        try await RunningIdentity.with { identity in
            let name = String(repeating: "a", count: 1 << 20)
            let refused = try await refusal { try await identity.organisation(name) }
            #expect(refused?.code == .resourceExhausted)
        }
    }

    @Test("a text that isn't UTF-8 is INVALID_ARGUMENT; bytes that are no message are INTERNAL, as gRPC has it")
    func malformed() async throws {
        try await RunningIdentity.with { identity in
            let notUTF8 = ByteBuffer(bytes: [0x0A, 0x02, 0xC3, 0x28])
            let truncated = ByteBuffer(bytes: [0x0A, 0x7F, 0x61])
            for (bytes, code) in [(notUTF8, RPCError.Code.invalidArgument), (truncated, .internal)] {
                let refused = try await refusal {
                    try await identity.channel.rawUnary(
                        IdentityV1.IdentityServiceMethods.createOrganisation, bytes,
                        options: RunningIdentity.asOperator)
                }
                #expect(refused?.code == code)
            }
        }
    }
}
