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

    @Test("a removed administrator's token does not come back when a step is confirmed, taken back or overtaken")
    func removed() async throws {
        try await TemporaryFolder.with { folder in
            let clock = ManualWallClock(Date())
            let start = clock.now()
            let operation = RunningIdentity.asOperator
            func told(_ identity: RunningIdentity) async throws -> Int {
                try await identity.client.listRevokedSignIns(
                    .init(), options: CallOptions(metadata: ["samtal-role": "service"], timeout: .seconds(20))
                ).signInIDs.count
            }
            func works(_ signedIn: IdentityV1.SignInResponse, _ identity: RunningIdentity) async throws -> Refusal? {
                try await refusal {
                    try await identity.client.listAdministrators(
                        .init(organisationID: signedIn.administrator?.organisationID ?? ""),
                        options: RunningIdentity.asAdministrator(signedIn))
                }
            }
            let ended = Refusal(code: .unauthenticated, reason: "SIGN_IN_ENDED")
            let expired = Refusal(code: .unauthenticated, reason: "TOKEN_EXPIRED")
            try await RunningIdentity.with(folder: folder, clock: clock) { identity in
                let karin = try await identity.signedIn()
                // The clock is two hours ahead; the removal is stamped meanwhile.
                clock.set(start.addingTimeInterval(7200))
                let ahead = try await identity.refreshed(karin)
                _ = try await identity.client.revokeTokens(
                    .init(refreshToken: ahead.refreshToken), options: RunningIdentity.asGateway)
                #expect(try await works(ahead, identity) == ended)
                #expect(
                    try await ClockV1.ClockServiceClient(channel: identity.channel)
                        .confirmClock(.init(), options: operation).state == .steady)
                #expect(try await works(ahead, identity) == ended)
                #expect(try await told(identity) == 1)
                // Past by both clocks from here on.
                clock.advance(by: 661)
                #expect(try await works(ahead, identity) == expired)
                #expect(try await told(identity) == 0)
            }
            try await RunningIdentity.with(folder: folder, clock: clock) { identity in
                let bo = try await identity.signedIn("bo@example.se", organisation: "Example Bank")
                let before = clock.now()
                clock.set(before.addingTimeInterval(Self.weeks))
                let ahead = try await identity.refreshed(bo)
                _ = try await identity.client.revokeTokens(
                    .init(refreshToken: ahead.refreshToken), options: RunningIdentity.asGateway)
                clock.set(before)
                #expect(try await works(ahead, identity) == expired)
                clock.advance(by: 700)
                #expect(try await told(identity) == 1)
                clock.set(before.addingTimeInterval(Self.weeks + 60))
                #expect(try await works(ahead, identity) == ended)
            }
        }
    }
}
