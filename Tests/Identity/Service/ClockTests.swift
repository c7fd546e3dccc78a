import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("Identity, when the machine's clock steps")
struct ClockTests {
    private static let weeks: TimeInterval = 70 * 86_400

    @Test("nobody is signed out by a step, and no code that works later works by it")
    func step() async throws {
        try await TemporaryFolder.with { folder in
            let clock = ManualWallClock(Date())
            let start = clock.now()
            let (token, waiting) = try await RunningIdentity.with(folder: folder, clock: clock) { identity in
                let karin = try await identity.signedIn()
                let waiting = try await identity.client.createSignInCode(
                    .init(email: "karin@example.se", instruction: "Case 1"), options: RunningIdentity.asOperator)
                clock.set(start.addingTimeInterval(86_400 + 3600))
                #expect(
                    try await refusal { try await identity.signIn(waiting.code) }
                        == Refusal(code: .unauthenticated, reason: "SIGN_IN_CODE_NOT_YET_USABLE"))
                clock.set(start.addingTimeInterval(Self.weeks))
                let refreshed = try await identity.refresh(karin.refreshToken)
                // Whoever verifies it goes by the wall clock.
                let expiry = try #require(refreshed.accessTokenExpireTime?.date)
                #expect(abs(expiry.timeIntervalSince(start) - Self.weeks - 600) < 2)
                return (refreshed.refreshToken, waiting.code)
            }
            // The step is there at the next start, and taken back after it.
            try await RunningIdentity.with(folder: folder, clock: clock) { identity in
                let again = try await identity.refresh(token)
                clock.set(start)
                let last = try await identity.refresh(again.refreshToken)
                clock.advance(by: 30 * 86_400 - 60)
                _ = try await identity.refresh(last.refreshToken)
                #expect(try await refusal { try await identity.signIn(waiting) } == .codeInvalid)
            }
        }
    }
}
