import Contracts
import Crypto
import Foundation
import IdentityCore
import Privacy
import RPC
import ServiceKit
import Testing

@Suite("Signing in over the socket")
struct SignInTests {
    @Test("a code signs its administrator in, once")
    func once() async throws {
        try await RunningIdentity.with { identity in
            let administrator = try await identity.administrator(of: identity.organisation("Example News"))
            let code = try await identity.code(for: "KARIN@example.se")
            let signedIn = try await identity.signIn(code)
            #expect(signedIn.administrator == administrator)
            #expect(signedIn.organisationDisplayName == "Example News")
            #expect(try await refusal { try await identity.signIn(code) } == .codeInvalid)
        }
    }

    @Test("a code may be typed in upper case and in groups")
    func typed() async throws {
        try await RunningIdentity.with { identity in
            _ = try await identity.administrator(of: identity.organisation())
            let code = try await identity.code(for: "karin@example.se")
            let typed = code.uppercased().prefix(13) + "-" + code.suffix(13)
            #expect(try await identity.signIn(String(typed)).accessToken.isEmpty == false)
        }
    }

    @Test("a new code ends the one before, and only that administrator's")
    func replaced() async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            _ = try await identity.administrator("karin@example.se", of: organisation)
            _ = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
            // The first sign-in ends what was made before it.
            _ = try await identity.signIn(try await identity.code(for: "karin@example.se"))
            let first = try await identity.code(for: "karin@example.se")
            let others = try await identity.code(for: "bo@example.se")
            let second = try await identity.code(for: "karin@example.se")
            #expect(try await refusal { try await identity.signIn(first) } == .codeInvalid)
            #expect(try await identity.signIn(second).administrator?.displayName == "Karin Berg")
            #expect(try await identity.signIn(others).administrator?.displayName == "Bo Ek")
        }
    }

    @Test("a code expires after fifteen minutes, at the time it was told to")
    func expiry() async throws {
        try await RunningIdentity.with { identity in
            _ = try await identity.administrator(of: identity.organisation())
            let begin = identity.clock.now()
            let code = try await identity.client.createSignInCode(
                .init(email: "karin@example.se"), options: RunningIdentity.asOperator)
            let expireTime = try #require(code.expireTime).date
            #expect(abs(expireTime.timeIntervalSince(begin) - 900) < 0.001)
            identity.clock.advance(to: expireTime)
            #expect(try await refusal { try await identity.signIn(code.code) } == .codeInvalid)
        }
    }

    @Test("no code is made for an address that nobody has")
    func unknownAddress() async throws {
        try await RunningIdentity.with { identity in
            let refused = try await refusal { try await identity.code(for: "nobody@example.se") }
            #expect(refused == Refusal(code: .notFound, reason: "ADMINISTRATOR_NOT_FOUND"))
        }
    }

    @Test("an access token verifies by the published key, names nobody, and lasts ten minutes")
    func accessToken() async throws {
        try await RunningIdentity.with { identity in
            let signedIn = try await identity.signedIn()
            let administrator = try #require(signedIn.administrator)
            let keys = try await identity.client.listSigningKeys(.init(), options: RunningIdentity.asGateway).keys
            let key = try #require(keys.first)
            #expect(keys.count == 1)
            #expect(key.keyID == SigningKey.id(ofPublicKey: key.publicKey))

            let parts = signedIn.accessToken.split(separator: ".").map(String.init)
            let (header, claims) = (try json(parts[0]), try json(parts[1]))
            #expect(header["alg"] as? String == "EdDSA")
            #expect(header["kid"] as? String == key.keyID)
            #expect(claims["sub"] as? String == administrator.administratorID)
            #expect(claims["org"] as? String == administrator.organisationID)
            #expect(Set(claims.keys) == ["sub", "org", "iss", "aud", "exp", "iat", "jti", "sid"])
            let issued = try #require(claims["iat"] as? Double)
            let expires = try #require(claims["exp"] as? Double)
            #expect(expires - issued == 600)
            #expect(signedIn.accessTokenExpireTime?.date == Date(timeIntervalSince1970: expires))

            let publicKey = try Curve25519.Signing.PublicKey(rawRepresentation: key.publicKey)
            #expect(publicKey.isValidSignature(try bytes(parts[2]), for: Data("\(parts[0]).\(parts[1])".utf8)))
            let authenticator = AccessTokenAuthenticator(keys: FixedSigningKeys([key.keyID: key.publicKey]))
            #expect(
                try await authenticator.principal(of: signedIn.accessToken)
                    == .administrator(id: administrator.administratorID, organisationID: administrator.organisationID))
        }
    }

    @Test("every signing key request is answered to services, gateways, backends and the operator")
    func signingKeys() async throws {
        try await RunningIdentity.with { identity in
            for role in ["service", "gateway", "backend", "operator"] {
                let options = CallOptions(metadata: ["samtal-role": role], timeout: .seconds(20))
                let keys = try await identity.client.listSigningKeys(.init(), options: options).keys
                #expect(keys.map(\.publicKey.count) == [32])
            }
        }
    }

    private func bytes(_ base64URL: String) throws -> Data {
        var text = base64URL.replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text.append("=") }
        return try #require(Data(base64Encoded: text))
    }

    private func json(_ base64URL: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: bytes(base64URL)) as? [String: Any])
    }
}
