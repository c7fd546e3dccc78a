internal import Contracts
internal import Foundation
internal import IdentityCore
internal import Logging
internal import Privacy
internal import RPC
internal import ServiceKit

extension IdentityHandlers {
    func signIn(_ request: IdentityV1.SignInRequest, call: ServerCall) async throws -> IdentityV1.SignInResponse {
        try Self.requirePresent(request.code, field: "code")
        guard let code = SignInCode(typed: request.code) else { throw RPCError(IdentityError.signInCodeRefused) }
        var generator = SystemRandomNumberGenerator()
        let first = RefreshToken.first(using: &generator)
        let now = clock.confirmed()
        let signedIn = try await translatingErrors { try await store.redeem(code, beginning: first, at: now) }
        return try await response(to: signedIn, refreshToken: first)
    }

    func refreshTokens(
        _ request: IdentityV1.RefreshTokensRequest, call: ServerCall
    ) async throws -> IdentityV1.SignInResponse {
        try Self.requirePresent(request.refreshToken, field: "refresh_token")
        guard let token = RefreshToken(request.refreshToken) else {
            throw RPCError(IdentityError.refreshTokenRefused)
        }
        var generator = SystemRandomNumberGenerator()
        let next = token.successor(using: &generator)
        let now = clock.times
        switch try await translatingErrors({ try await store.trade(token, for: next, at: now) }) {
        case .traded(let signedIn):
            return try await response(to: signedIn, refreshToken: next)
        case .ended(.reused):
            // Two parties hold the token. Says that it happened, not to whom.
            logger.warning("a refresh token was used again: its sign-in is revoked")
            throw RPCError(IdentityError.refreshTokenRefused)
        case .ended, .unknown:
            throw RPCError(IdentityError.refreshTokenRefused)
        }
    }

    func revokeTokens(
        _ request: IdentityV1.RevokeTokensRequest, call: ServerCall
    ) async throws -> IdentityV1.RevokeTokensResponse {
        try Self.requirePresent(request.refreshToken, field: "refresh_token")
        if let token = RefreshToken(request.refreshToken) {
            try await translatingErrors { try await store.revoke(token, at: clock.times) }
        }
        return .init()
    }

    func listRevokedSignIns(
        _ request: IdentityV1.ListRevokedSignInsRequest, call: ServerCall
    ) async throws -> IdentityV1.ListRevokedSignInsResponse {
        let revoked = store.revocations.current(at: clock.times)
        return .init(signInIDs: revoked.ids, refuseIssuedUntil: revoked.issuedUntil.map { .init(stored: $0) })
    }

    func listSigningKeys(
        _ request: IdentityV1.ListSigningKeysRequest, call: ServerCall
    ) async throws -> IdentityV1.ListSigningKeysResponse {
        let key = signer.key
        return .init(keys: [.init(keyID: key.id, publicKey: key.publicKey, createTime: .init(stored: key.createTime))])
    }
}

extension IdentityHandlers {
    /// A forgotten field is told from a wrong one.
    static func requirePresent(_ text: String, field: String) throws(RPCError) {
        if FieldCheck.isBlank(text) { throw .invalid(field, "must not be empty") }
    }

    private func response(
        to signedIn: SignedIn, refreshToken: RefreshToken
    ) async throws -> IdentityV1.SignInResponse {
        // By the machine's clock, right or wrong: whoever verifies the token goes by that.
        let access = try await signer.accessToken(
            for: signedIn.administrator, signInID: refreshToken.signInID, at: clock.reading().wall)
        return .init(
            accessToken: access.text, accessTokenExpireTime: .init(stored: access.expireTime),
            refreshToken: refreshToken.text,
            administrator: .init(signedIn.administrator),
            organisationDisplayName: signedIn.organisation.displayName)
    }
}
