internal import Crypto
package import Foundation
internal import JWTKit
public import RPC

/// Recognises an administrator by "authorization: Bearer …", an EdDSA JWT that identity has signed.
public final class AccessTokenAuthenticator: Authenticator {
    /// The longest token that is looked at, in bytes; identity's are under 500.
    static let longestToken = 4096
    static let cachedTokens = 8192
    private static let scheme = "Bearer "

    private let keys: any SigningKeySource
    private let now: @Sendable () -> Date
    private let cache: AccessTokenCache

    /// - Parameter keys: the real ones are `IdentitySigningKeys`.
    public convenience init(keys: any SigningKeySource) {
        self.init(keys: keys, cachedTokens: Self.cachedTokens) { Date() }
    }

    package init(keys: any SigningKeySource, cachedTokens: Int, now: @escaping @Sendable () -> Date) {
        self.keys = keys
        self.now = now
        cache = AccessTokenCache(limit: cachedTokens)
    }

    public func authenticate(_ call: ServerCall) async throws(RPCError) -> Principal? {
        guard let value = call.metadata[first: "authorization"], let token = Self.bearer(value) else { return nil }
        return try await principal(of: token)
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
    /// - Throws: UNAUTHENTICATED `TOKEN_INVALID` or `TOKEN_EXPIRED`; UNAVAILABLE naming identity when its key isn't
    ///   known and identity can't be asked.
    package func principal(of token: String) async throws(RPCError) -> Principal {
        guard token.utf8.count <= Self.longestToken else { throw .tokenInvalid }
        let key = AccessTokenCache.key(token)
        if let known = cache.entry(key) {
            guard now() < known.expires else { throw .tokenExpired }
            return known.principal
        }
        let claims = try await verify(token)
        guard now() < claims.exp.value else { throw .tokenExpired }
        let principal = Principal.administrator(id: claims.sub.value, organisationID: claims.org)
        cache.insert(.init(principal: principal, expires: claims.exp.value), for: key)
        return principal
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
