internal import Crypto
internal import Foundation
internal import IdentityCore
internal import Privacy
internal import ServiceKit

/// Hands out access tokens signed with the service's key.
struct TokenSigner: Sendable {
    let key: SigningKey
    private let issuer: AccessTokenIssuer

    init(key: SigningKey) async throws {
        self.key = key
        issuer = try await AccessTokenIssuer(keyID: key.id, privateKey: Array(key.privateKey.rawRepresentation))
    }

    /// What identity verifies its own callers' tokens with: no call to itself.
    var publicKeys: FixedSigningKeys { FixedSigningKeys([key.id: key.publicKey]) }

    /// A token for the administrator and when it expires. Times are whole seconds, as in the token (RFC 7519 section 2).
    /// - Parameter signInID: of the sign-in that it comes from.
    func accessToken(
        for administrator: Administrator, signInID: String, at now: Date
    ) async throws -> (text: String, expireTime: Date) {
        let issuedAt = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        let claims = AccessTokenClaims(
            administratorID: administrator.id, organisationID: administrator.organisationID,
            tokenID: Identifier.random(), signInID: signInID, issuedAt: issuedAt, lifetime: Lifetime.accessToken)
        return (try await issuer.sign(claims), issuedAt + Lifetime.accessToken)
    }
}
