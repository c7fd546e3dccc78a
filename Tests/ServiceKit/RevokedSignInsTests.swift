import Contracts
import Foundation
import Logging
import NIOPosix
import RPC
import Testing

@testable import ServiceKit

@Suite("Sign-ins that were ended")
struct RevokedSignInsTests {
    private let now = Date()
    private var signIn: SignIn { SignIn(id: "s1", issued: now) }

    private func reason(_ call: () async throws -> Void) async throws -> String? {
        do {
            try await call()
            return nil
        } catch let error as RPCError {
            return error.reason
        }
    }

    @Test("a sign-in is refused while it is listed, and all tokens by a given time are")
    func listed() {
        let revoked = RevokedSignIns()
        #expect(!revoked.contains(signIn))
        revoked.replace(ids: ["s2"], issuedUntil: nil)
        #expect(!revoked.contains(signIn))
        revoked.replace(ids: ["s1", "s2"], issuedUntil: nil)
        #expect(revoked.contains(signIn))
        revoked.replace(ids: [], issuedUntil: now - 1)
        #expect(!revoked.contains(signIn))
        revoked.replace(ids: [], issuedUntil: now)
        #expect(revoked.contains(signIn))
    }

    @Test("a token that was accepted a moment ago, and lies in the cache, is refused once its sign-in ended")
    func token() async throws {
        let forge = TokenForge()
        let revoked = RevokedSignIns()
        let authenticator = AccessTokenAuthenticator(keys: forge.source, revoked: revoked)
        let token = try forge.token(claims: ["sid": "s1"])
        let other = try forge.token(claims: ["sid": "s2"])
        for _ in 0..<2 { #expect(try await authenticator.principal(of: token).kind == .administrator) }
        revoked.replace(ids: ["s1"], issuedUntil: nil)
        #expect(try await reason { _ = try await authenticator.principal(of: token) } == "SIGN_IN_ENDED")
        #expect(try await authenticator.principal(of: other).kind == .administrator)
        let malformed = try forge.token(claims: ["sid": "../s1"])
        #expect(try await reason { _ = try await authenticator.principal(of: malformed) } == "TOKEN_INVALID")
    }

    @Test("after a start a token waits for the first word of which sign-ins ended, and is UNAVAILABLE without it")
    func unknown() async throws {
        let forge = TokenForge()
        let token = try forge.token(claims: ["sid": "s1"])
        let ended = try forge.token(claims: ["sid": "s2"])
        let revoked = RevokedSignIns(isKnown: false)
        let authenticator = AccessTokenAuthenticator(keys: forge.source, revoked: revoked)
        for _ in 0..<2 {
            do {
                _ = try await authenticator.principal(of: token)
                Issue.record("accepted before anything is known")
            } catch {
                #expect(error.code == .unavailable && error.message.contains("identity"))
            }
        }
        async let waiting = authenticator.principal(of: token)
        async let refused = reason { _ = try await authenticator.principal(of: ended) }
        try await Task.sleep(for: .milliseconds(100))
        revoked.replace(ids: ["s2"], issuedUntil: nil)
        #expect(try await waiting.kind == .administrator)
        #expect(try await refused == "SIGN_IN_ENDED")
    }

    @Test("a call that was refused for a bound is counted by what it was answered, and a neighbour's is not")
    func answeredBounds() async throws {
        let metrics = MetricsRegistry()
        let interceptor = AnsweredBounds(refusals: Refusals(["chat-waiting-writes"], in: metrics))
        let call = try await call(RevokedSignIns())
        for bound in ["chat-waiting-writes", "retention-waiting-writes"] {
            interceptor.end(
                call, outcome: RPCError(.resourceExhausted, "", reason: "STORE_OVERLOADED", metadata: ["bound": bound]))
        }
        interceptor.end(call, outcome: RPCError(.notFound, ""))
        interceptor.end(call, outcome: nil)
        let counted = metrics.text().split(separator: "\n").filter { $0.hasPrefix("bound_refusals_total") }
        #expect(counted == [#"bound_refusals_total{bound="chat-waiting-writes"} 1"#])
    }

    /// A call with a token, as it is after authentication.
    private func call(
        _ revoked: RevokedSignIns, claims: [String: Any] = [:], now clock: @escaping @Sendable () -> Date = { Date() }
    ) async throws -> ServerCall {
        let forge = TokenForge()
        let token = try forge.token(claims: ["sid": "s1"].merging(claims) { $1 })
        let call = ServerCall(
            method: ChatV1.ChatServiceMethods.watchSession, peer: Peer(uid: testUID, gid: 1, pid: 1),
            metadata: ["authorization": "Bearer \(token)"])
        let authenticator = AccessTokenAuthenticator(
            keys: forge.source, revoked: revoked, cachedTokens: 16, now: clock)
        _ = try await authenticator.authenticate(call)
        return call
    }

    @Test("what goes on on behalf of a sign-in ends when the sign-in does, and only then")
    func ends() async throws {
        let revoked = RevokedSignIns()
        let call = try await call(revoked)
        async let outcome = reason {
            try await call.whileAuthorised(.untilExpiry) {
                try await Task.sleep(for: .seconds(600))
            }
        }
        while revoked.waitingCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
        revoked.replace(ids: ["s2"], issuedUntil: nil)
        #expect(revoked.waitingCount == 1)
        revoked.replace(ids: ["s2", "s1"], issuedUntil: nil)
        #expect(try await outcome == "SIGN_IN_ENDED")
        #expect(revoked.waitingCount == 0)
        // Ended before it began, too.
        #expect(
            try await reason {
                try await call.whileAuthorised(.untilRevoked) { try await Task.sleep(for: .seconds(600)) }
            } == "SIGN_IN_ENDED")
    }

    @Test("a feed ends with its token; what ends by itself is not cut off because the token expires")
    func expiry() async throws {
        let revoked = RevokedSignIns()
        let soon = Int(Date().timeIntervalSince1970) + 600
        let call = try await call(revoked, claims: ["exp": soon]) { Date(timeIntervalSince1970: Double(soon) - 0.05) }
        #expect(
            try await reason {
                try await call.whileAuthorised(.untilExpiry) { try await Task.sleep(for: .seconds(600)) }
            } == "TOKEN_EXPIRED")
        #expect(
            try await reason {
                try await call.whileAuthorised(.untilRevoked) { try await Task.sleep(for: .milliseconds(300)) }
            } == nil)
    }

    @Test("what is done, fails or is cancelled ends as it would without a sign-in, and nothing is left waiting")
    func passesOn() async throws {
        let revoked = RevokedSignIns()
        let call = try await call(revoked)
        #expect(try await reason { try await call.whileAuthorised(.untilExpiry) {} } == nil)
        #expect(
            try await reason {
                try await call.whileAuthorised(.untilExpiry) { throw RPCError(.outOfRange, "resume", reason: "RESUME") }
            } == "RESUME")
        let task = Task {
            try await reason {
                try await call.whileAuthorised(.untilExpiry) {
                    while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
                    throw RPCError(.outOfRange, "resume", reason: "RESUME")
                }
            }
        }
        while revoked.waitingCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        #expect(try await task.value == "RESUME")
        #expect(revoked.waitingCount == 0)
    }

    @Test("a service learns of ended sign-ins from identity, keeps them while it is away, and learns of it again after")
    func poll() async throws {
        let path = "/tmp/revoked-\(UInt32.random(in: .min ... .max)).sock"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = RPCChannel(socketPath: path, name: "identity", group: group, logger: logger)
        let revoked = RevokedSignIns(isKnown: false)
        let poll = RevocationPoll(channel: channel, revoked: revoked, pause: .milliseconds(20), logger: logger)
        let running = Task { try await poll.run() }

        func serving(_ ids: [String], _ body: () async throws -> Void) async throws {
            let server = RPCServer(
                configuration: .init(socketPath: path),
                handlers: [
                    .unary(IdentityV1.IdentityServiceMethods.listRevokedSignIns) {
                        (_: IdentityV1.ListRevokedSignInsRequest, _) in
                        IdentityV1.ListRevokedSignInsResponse(signInIDs: ids)
                    }
                ],
                interceptors: [], health: HealthService(), logger: logger, group: group)
            try await server.start()
            async let run: Void = server.run()
            try await body()
            await server.shutDown()
            try await run
        }
        func eventually(_ condition: () -> Bool) async throws {
            for _ in 0..<2000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
            #expect(condition())
        }
        let (one, two) = (SignIn(id: "s1", issued: now), SignIn(id: "s2", issued: now))
        // Nothing was said yet.
        #expect(!revoked.isKnown)
        try await serving(["s1"]) { try await eventually { revoked.contains(one) } }
        #expect(revoked.isKnown)
        try await Task.sleep(for: .milliseconds(100))
        #expect(revoked.contains(one))
        try await serving(["s2"]) { try await eventually { revoked.contains(two) && !revoked.contains(one) } }
        running.cancel()
        _ = await running.result
        await channel.close()
    }
}
