internal import Crypto
package import Foundation
internal import JWTKit
public import RPC

/// Recognises an administrator by "authorization: Bearer …", an EdDSA JWT that identity has signed.
public final class AccessTokenAuthenticator: Authenticator {
    /// The longest token that is looked at, in bytes; identity's are under 500.
    static let longestToken = 4096
    static let cachedTokens = 8192
    /// How long a call waits after a start to learn which sign-ins ended.
    static let patience: Duration = .seconds(2)
    /// How far the clocks of two machines may disagree, in seconds. A token issued later than that from now was issued while
    /// the clock was ahead: it would be good for as long as that step was, and what was revoked is not known for so long.
    static let disagreement: TimeInterval = 60
    private static let scheme = "Bearer "

    private let keys: any SigningKeySource
    private let revoked: RevokedSignIns
    private let now: @Sendable () -> Date
    private let cache: AccessTokenCache

    /// - Parameters:
    ///   - keys: the real ones are `IdentitySigningKeys`.
    ///   - revoked: the sign-ins whose tokens are refused.
    public convenience init(keys: any SigningKeySource, revoked: RevokedSignIns = RevokedSignIns()) {
        self.init(keys: keys, revoked: revoked, cachedTokens: Self.cachedTokens) { Date() }
    }

    package init(
        keys: any SigningKeySource, revoked: RevokedSignIns = RevokedSignIns(),
        cachedTokens: Int = AccessTokenAuthenticator.cachedTokens,
        now: @escaping @Sendable () -> Date
    ) {
        self.keys = keys
        self.revoked = revoked
        self.now = now
        cache = AccessTokenCache(limit: cachedTokens)
    }

    public func authenticate(_ call: ServerCall) async throws(RPCError) -> Principal? {
        guard let value = call.metadata[first: "authorization"], let token = Self.bearer(value) else { return nil }
        let found = try await recognise(token)
        // A unary call is over before its sign-in could be.
        if let signIn = found.signIn, call.method.kind != .unary {
            let left = found.expires.timeIntervalSince(now())
            call[.signIn] = StandingSignIn(
                signIn: signIn, expires: ContinuousClock.now + .seconds(left), revoked: revoked)
        }
        return found.principal
    }

    /// Whose token an "authorization" value holds; nil when it is of another scheme.
    /// - Throws: as ``principal(of:)``.
    package func principal(ofAuthorization value: String) async throws(RPCError) -> Principal? {
        guard let token = Self.bearer(value) else { return nil }
        return try await principal(of: token)
    }

    /// The token of an "authorization" value; nil when it is of another scheme. Schemes ignore case (RFC 9110 section
    /// 11.1).
    static func bearer(_ value: String) -> String? {
        guard value.utf8.count >= scheme.utf8.count,
            value.prefix(scheme.count).lowercased() == scheme.lowercased()
        else { return nil }
        return String(value.dropFirst(scheme.count))
    }

    /// Whose token it is.
    /// - Throws: UNAUTHENTICATED `TOKEN_INVALID`, `TOKEN_EXPIRED` or `SIGN_IN_ENDED`; UNAVAILABLE naming identity when its
    ///   key, or which sign-ins ended, isn't known and identity can't be asked.
    package func principal(of token: String) async throws(RPCError) -> Principal {
        try await recognise(token).principal
    }

    private func recognise(_ token: String) async throws(RPCError) -> AccessTokenCache.Entry {
        let entry = try await verified(token)
        let now = now()
        guard now < entry.expires, entry.issued <= now + Self.disagreement else { throw .tokenExpired }
        if let signIn = entry.signIn {
            // A process that has just started doesn't know yet. While identity is away nobody signs in, and nothing is
            // refused that could be answered: the keys that tokens are verified with come from there, too.
            guard await revoked.known(within: Self.patience) else { throw .unavailable(neighbour: "identity") }
            if revoked.contains(signIn) { throw .signInEnded }
        }
        return entry
    }

    /// What a token says, once it is known to be identity's.
    private func verified(_ token: String) async throws(RPCError) -> AccessTokenCache.Entry {
        guard token.utf8.count <= Self.longestToken else { throw .tokenInvalid }
        let key = AccessTokenCache.key(token)
        if let known = cache.entry(key) { return known }
        let claims = try await verify(token)
        let entry = AccessTokenCache.Entry(
            principal: .administrator(id: claims.sub.value, organisationID: claims.org),
            signIn: claims.sid.map { SignIn(id: $0, issued: claims.iat.value) }, issued: claims.iat.value,
            expires: claims.exp.value)
        if now() < entry.expires { cache.insert(entry, for: key) }
        return entry
    }

    /// Everything but the time.
    private func verify(_ token: String) async throws(RPCError) -> AccessTokenClaims {
        guard let header = AccessTokenHeader(token: token), let bytes = try await keys.publicKey(header.kid) else {
            throw .tokenInvalid
        }
        do {
            let key = try EdDSA.PublicKey(backing: Curve25519.Signing.PublicKey(rawRepresentation: bytes))
            // A collection of exactly the key that the header names: one with several falls back to a default key.
            return try await JWTKeyCollection().add(eddsa: key).verify(token, as: AccessTokenClaims.self)
        } catch {
            throw .tokenInvalid
        }
    }
}
