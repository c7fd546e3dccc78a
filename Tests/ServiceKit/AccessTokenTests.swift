import Crypto
import Foundation
import RPC
import Testing

@testable import ServiceKit

@Suite("Access tokens")
struct AccessTokenTests {
    private let forge = TokenForge()

    private func outcome(_ token: String, keys: (any SigningKeySource)? = nil) async -> Result<Principal, RPCError> {
        let authenticator = AccessTokenAuthenticator(keys: keys ?? forge.source)
        do {
            return .success(try await authenticator.principal(of: token))
        } catch {
            return .failure(error)
        }
    }

    @Test("a token that identity issues is recognised")
    func issued() async throws {
        let issuer = try await AccessTokenIssuer(keyID: "key-2", privateKey: AccessTokenIssuer.newPrivateKey())
        let token = try await issuer.sign(
            AccessTokenClaims(administratorID: "adm-1", organisationID: "org-1", tokenID: "tok-1", issuedAt: Date()))
        #expect(
            await outcome(token, keys: FixedSigningKeys(["key-2": issuer.publicKey])) == .success(someAdministrator))
        #expect(token.utf8.count < 500)
    }

    @Test("a token holds no more than ids and times")
    func content() async throws {
        let issuer = try await AccessTokenIssuer(keyID: "key-2", privateKey: AccessTokenIssuer.newPrivateKey())
        let token = try await issuer.sign(
            AccessTokenClaims(administratorID: "adm-1", organisationID: "org-1", tokenID: "tok-1", issuedAt: Date()))
        let payload = try #require(Base64URL.decode(String(token.split(separator: ".")[1])))
        let claims = try #require(try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any])
        #expect(Set(claims.keys) == ["sub", "org", "iss", "aud", "exp", "iat", "jti"])
        let issued = try #require(claims["iat"] as? Int)
        #expect(claims["exp"] as? Int == issued + 600)
    }

    @Test("a token is read from the metadata, whatever the case of its scheme")
    func metadata() async throws {
        let authenticator = AccessTokenAuthenticator(keys: forge.source)
        let token = try forge.token()
        for value in ["Bearer \(token)", "bearer \(token)"] {
            let principal = try await authenticator.authenticate(call("/a/B", metadata: ["authorization": value]))
            #expect(principal == someAdministrator)
        }
        #expect(try await authenticator.authenticate(call("/a/B")) == nil)
        let basic = call("/a/B", metadata: ["authorization": "Basic \(token)"])
        #expect(try await authenticator.authenticate(basic) == nil)
    }

    @Test("an expired token is refused as expired")
    func expired() async throws {
        let past = Int(Date().timeIntervalSince1970) - 1
        #expect(await outcome(try forge.token(claims: ["exp": past])) == .failure(.tokenExpired))
    }

    @Test(
        "a token for another audience, from another issuer or about something that is no id is refused",
        arguments: [
            ("aud", "other"), ("iss", "other"), ("sub", ""), ("sub", "Anna Svensson"), ("org", "../etc"),
        ])
    func wrongClaims(name: String, value: String) async throws {
        #expect(await outcome(try forge.token(claims: [name: value])) == .failure(.tokenInvalid))
    }

    @Test("a list of audiences is refused, an empty one too")
    func audiences() async throws {
        for audiences in [["samtal"], []] {
            #expect(await outcome(try forge.token(claims: ["aud": audiences])) == .failure(.tokenInvalid))
        }
    }

    @Test("an unsigned token is refused", arguments: ["none", "None", "NONE", "nOnE", ""])
    func unsigned(algorithm: String) async throws {
        let input = try forge.input(header: ["alg": algorithm], claims: forge.claims())
        for signature in ["", "AAAA"] {
            #expect(await outcome("\(input).\(signature)") == .failure(.tokenInvalid))
        }
        // Also with a signature that is good: the header says how to read it, and says wrong.
        #expect(await outcome(try forge.token(header: ["alg": algorithm])) == .failure(.tokenInvalid))
    }

    @Test("the public key is no shared secret")
    func confusedAlgorithm() async throws {
        let input = try forge.input(header: ["alg": "HS256"], claims: forge.claims())
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(input.utf8), using: SymmetricKey(data: Data(forge.publicKey)))
        #expect(await outcome("\(input).\(Base64URL.encode(code))") == .failure(.tokenInvalid))
    }

    @Test("an unknown key, a key id that is none and an extension nobody knows are refused")
    func headers() async throws {
        for header: [String: Any] in [
            ["kid": "key-9"], ["kid": ""], ["kid": "../key-1"], ["kid": 1], ["crit": ["exp"]], ["alg": "ES256"],
        ] {
            #expect(await outcome(try forge.token(header: header)) == .failure(.tokenInvalid))
        }
    }

    @Test("another key's signature under a known key's name is refused")
    func forged() async throws {
        let token = try TokenForge().token()
        #expect(await outcome(token) == .failure(.tokenInvalid))
    }

    @Test("a token changed in any of its parts is refused")
    func tampered() async throws {
        let token = try forge.token()
        let parts = token.split(separator: ".").map(String.init)
        let other = try forge.input(header: [:], claims: forge.claims(["org": "org-2"])).split(separator: ".")[1]
        #expect(await outcome("\(parts[0]).\(other).\(parts[2])") == .failure(.tokenInvalid))
        for position in stride(from: 0, to: token.utf8.count - 1, by: 7) {
            var bytes = Array(token.utf8)
            bytes[position] = bytes[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(await outcome(String(decoding: bytes, as: UTF8.self)) == .failure(.tokenInvalid))
        }
    }

    @Test(
        "what is no token at all is refused",
        arguments: ["", ".", "..", "...", "a.b.c", "{}.{}.{}", String(repeating: "a", count: 5000)])
    func garbage(token: String) async {
        #expect(await outcome(token) == .failure(.tokenInvalid))
    }
}

@Suite("Verified tokens")
struct AccessTokenCacheTests {
    private let forge = TokenForge()

    @Test("a token is verified once, and for no longer than it lasts")
    func cached() async throws {
        let keys = CountingKeys([forge.keyID: forge.publicKey])
        let clock = TestClock()
        let authenticator = AccessTokenAuthenticator(keys: keys, cachedTokens: 16, now: clock.now)
        let token = try forge.token()
        for _ in 0..<5 { #expect(try await authenticator.principal(of: token) == someAdministrator) }
        #expect(keys.asked == 1)
        clock.advance(601)
        await #expect(throws: RPCError.tokenExpired) { try await authenticator.principal(of: token) }
    }

    @Test("a token of a clock that was ahead is refused when the clock is back, however often it was good before")
    func takenBack() async throws {
        let keys = CountingKeys([forge.keyID: forge.publicKey])
        let clock = TestClock()
        let authenticator = AccessTokenAuthenticator(keys: keys, cachedTokens: 16, now: clock.now)
        let issued = Int(Date().timeIntervalSince1970) + 86_400
        let token = try forge.token(claims: ["iat": issued, "exp": issued + 600])
        clock.advance(86_400)
        #expect(try await authenticator.principal(of: token) == someAdministrator)
        clock.advance(-86_400)
        await #expect(throws: RPCError.tokenExpired) { try await authenticator.principal(of: token) }
        // A minute between two machines is nothing.
        let soon = Int(Date().timeIntervalSince1970) + 50
        let other = try forge.token(claims: ["iat": soon, "exp": soon + 600])
        #expect(try await authenticator.principal(of: other) == someAdministrator)
    }

    @Test("a refused token is not remembered as a good one")
    func refusedIsNotCached() async throws {
        let keys = CountingKeys([forge.keyID: forge.publicKey])
        let authenticator = AccessTokenAuthenticator(keys: keys)
        let token = try forge.token(claims: ["aud": "other"])
        for _ in 0..<2 { await #expect(throws: RPCError.tokenInvalid) { try await authenticator.principal(of: token) } }
        #expect(keys.asked == 2)
    }

    @Test("the cache is bounded, and keeps what is in use")
    func bounded() {
        let cache = AccessTokenCache(limit: 10)
        let entry = AccessTokenCache.Entry(principal: someAdministrator, issued: .distantPast, expires: .distantFuture)
        let used = AccessTokenCache.key("used")
        cache.insert(entry, for: used)
        for number in 0..<1000 {
            cache.insert(entry, for: AccessTokenCache.key("token \(number)"))
            #expect(cache.entry(used) != nil)
            #expect(cache.count <= 10)
        }
        #expect(cache.entry(AccessTokenCache.key("token 0")) == nil)
    }
}
