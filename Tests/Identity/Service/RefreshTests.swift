import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("Refreshing and signing out over the socket")
struct RefreshTests {
    @Test("a refresh token is traded for new tokens of the same administrator")
    func traded() async throws {
        try await RunningIdentity.with { identity in
            let signedIn = try await identity.signedIn()
            let refreshed = try await identity.refresh(signedIn.refreshToken)
            #expect(refreshed.administrator == signedIn.administrator)
            #expect(refreshed.organisationDisplayName == signedIn.organisationDisplayName)
            #expect(refreshed.refreshToken != signedIn.refreshToken)
            #expect(refreshed.accessToken != signedIn.accessToken)
            #expect(try await identity.refresh(refreshed.refreshToken).administrator == signedIn.administrator)
        }
    }

    @Test("a refresh token used again revokes its family, and only that")
    func reused() async throws {
        let log = LogCapture()
        try await TemporaryFolder.with { folder in
            let (third, kept) = try await RunningIdentity.with(folder: folder, log: log) { identity in
                let first = try await identity.signedIn()
                let elsewhere = try await identity.signIn(identity.code(for: "karin@example.se"))
                let second = try await identity.refresh(first.refreshToken)
                let third = try await identity.refresh(second.refreshToken)
                #expect(try await refusal { try await identity.refresh(first.refreshToken) } == .refreshTokenInvalid)
                #expect(try await refusal { try await identity.refresh(third.refreshToken) } == .refreshTokenInvalid)
                let kept = try await identity.refresh(elsewhere.refreshToken)
                #expect(kept.administrator == first.administrator)
                return (third.refreshToken, kept.refreshToken)
            }
            #expect(log.text.contains("a refresh token was used again"))
            // The revocation was committed, although the call that caused it failed.
            try await RunningIdentity.with(folder: folder) { identity in
                let refused = try await refusal { try await identity.refresh(third) }
                #expect(refused == .refreshTokenInvalid)
                _ = try await identity.refresh(kept)
                let again = try await identity.signIn(identity.code(for: "karin@example.se"))
                #expect(try await identity.refresh(again.refreshToken).accessToken.isEmpty == false)
            }
        }
    }

    @Test("signing out ends the family, by any of its tokens")
    func revoked() async throws {
        try await RunningIdentity.with { identity in
            let first = try await identity.signedIn()
            let second = try await identity.refresh(first.refreshToken)
            _ = try await identity.client.revokeTokens(
                .init(refreshToken: first.refreshToken), options: RunningIdentity.asGateway)
            #expect(try await refusal { try await identity.refresh(second.refreshToken) } == .refreshTokenInvalid)
        }
    }

    @Test("signing out twice, or with what is no token, is no error")
    func revokedTwice() async throws {
        try await RunningIdentity.with { identity in
            let signedIn = try await identity.signedIn()
            let unknown = String(repeating: "a", count: 78)
            for token in [signedIn.refreshToken, signedIn.refreshToken, unknown, "x"] {
                #expect(
                    try await refusal {
                        try await identity.client.revokeTokens(
                            .init(refreshToken: token), options: RunningIdentity.asGateway)
                    } == nil)
            }
        }
    }

    @Test("a refresh token works for thirty days from the latest use")
    func expiry() async throws {
        try await RunningIdentity.with { identity in
            let day: TimeInterval = 24 * 60 * 60
            let first = try await identity.signedIn()
            identity.clock.advance(by: 30 * day - 1)
            let second = try await identity.refresh(first.refreshToken)
            identity.clock.advance(by: 30 * day - 1)
            let third = try await identity.refresh(second.refreshToken)
            identity.clock.advance(by: 30 * day + 1)
            #expect(try await refusal { try await identity.refresh(third.refreshToken) } == .refreshTokenInvalid)
        }
    }
}
