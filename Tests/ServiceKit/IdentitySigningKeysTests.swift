import Contracts
import Logging
import NIOPosix
import RPC
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Identity's keys: when to ask")
struct IdentitySigningKeysStateTests {
    private let start = ContinuousClock.now
    private let key = [UInt8](repeating: 7, count: 32)

    /// What a caller would do `seconds` after the start.
    private func step(_ state: inout IdentitySigningKeys.State, _ keyID: String, at seconds: Int) -> String {
        let step = state.step(
            for: keyID, at: start + .seconds(seconds), pause: .seconds(3), longestAge: .seconds(600))
        return switch step {
        case .answer(let key): key == nil ? "no such key" : "key"
        case .fail(let error): error.reason
        case .wait: "wait"
        case .fetch: "fetch"
        }
    }

    @Test("the first caller asks, the others wait, and then everybody knows")
    func first() {
        var state = IdentitySigningKeys.State()
        #expect(step(&state, "a", at: 0) == "fetch")
        #expect(step(&state, "a", at: 0) == "wait")
        #expect(state.finish(.success(["a": key]), at: start).isEmpty)
        #expect(step(&state, "a", at: 1) == "key")
    }

    @Test("an unknown key is asked about at most once in each pause")
    func unknown() {
        var state = IdentitySigningKeys.State()
        #expect(step(&state, "x", at: 0) == "fetch")
        _ = state.finish(.success(["a": key]), at: start)
        #expect(step(&state, "x", at: 2) == "no such key")
        #expect(step(&state, "y", at: 2) == "no such key")
        #expect(step(&state, "x", at: 3) == "fetch")
        #expect(step(&state, "a", at: 3) == "key")
    }

    @Test("while identity is down known keys work and unknown ones say that it is")
    func down() {
        var state = IdentitySigningKeys.State()
        _ = step(&state, "a", at: 0)
        _ = state.finish(.success(["a": key]), at: start)
        #expect(step(&state, "x", at: 4) == "fetch")
        _ = state.finish(.failure(.unavailable(neighbour: "identity")), at: start + .seconds(4))
        #expect(step(&state, "x", at: 5) == "NEIGHBOUR_UNAVAILABLE")
        #expect(step(&state, "a", at: 5) == "key")
        #expect(step(&state, "x", at: 7) == "fetch")
    }

    @Test("old keys are asked about again, so that a withdrawn one stops working")
    func withdrawn() {
        var state = IdentitySigningKeys.State()
        _ = step(&state, "a", at: 0)
        _ = state.finish(.success(["a": key]), at: start)
        #expect(step(&state, "a", at: 599) == "key")
        #expect(step(&state, "a", at: 600) == "fetch")
        #expect(step(&state, "a", at: 600) == "key")
        _ = state.finish(.success([:]), at: start + .seconds(600))
        #expect(step(&state, "a", at: 601) == "no such key")
    }

    @Test("a fetch whose caller gave up says nothing about identity")
    func cancelled() {
        var state = IdentitySigningKeys.State()
        #expect(step(&state, "a", at: 0) == "fetch")
        _ = state.finish(nil, at: start)
        #expect(step(&state, "a", at: 0) == "fetch")
    }
}

@Suite("Identity's keys over a socket", .serialized)
struct IdentitySigningKeysSocketTests {
    /// Answers ListSigningKeys, and counts.
    private final class Publisher: Sendable {
        let keys = Mutex<[IdentityV1.SigningKey]>([])
        private let count = Atomic<Int>(0)

        var asked: Int { count.load(ordering: .relaxed) }

        var handler: MethodHandler {
            .unary(IdentityV1.IdentityServiceMethods.listSigningKeys) {
                (_: IdentityV1.ListSigningKeysRequest, _: ServerCall) in
                self.count.wrappingAdd(1, ordering: .relaxed)
                return IdentityV1.ListSigningKeysResponse(keys: self.keys.withLock { $0 })
            }
        }
    }

    @Test("many callers with new tokens cause one fetch, and so do many with made-up keys")
    func singleFlight() async throws {
        let forge = TokenForge()
        let publisher = Publisher()
        publisher.keys.withLock { $0 = [IdentityV1.SigningKey(keyID: forge.keyID, publicKey: forge.publicKey)] }
        try await TestServer.with(handlers: [publisher.handler]) { server in
            let keys = IdentitySigningKeys(channel: server.channel, pause: .seconds(600))
            try await withThrowingTaskGroup(of: [UInt8]?.self) { tasks in
                for _ in 0..<50 { tasks.addTask { try await keys.publicKey(forge.keyID) } }
                for try await key in tasks { #expect(key == forge.publicKey) }
            }
            #expect(publisher.asked == 1)
            for number in 0..<50 { #expect(try await keys.publicKey("made-up-\(number)") == nil) }
            #expect(publisher.asked == 1)
        }
    }

    @Test("a key that identity has added since is found, one of the wrong length is not")
    func rotation() async throws {
        let publisher = Publisher()
        publisher.keys.withLock { $0 = [IdentityV1.SigningKey(keyID: "short", publicKey: [1, 2, 3])] }
        try await TestServer.with(handlers: [publisher.handler]) { server in
            let keys = IdentitySigningKeys(channel: server.channel, pause: .zero)
            let short = try await keys.publicKey("short")
            #expect(short == nil)
            let added = [UInt8](repeating: 9, count: 32)
            publisher.keys.withLock { $0.append(IdentityV1.SigningKey(keyID: "added", publicKey: added)) }
            let found = try await keys.publicKey("added")
            #expect(found == added)
        }
    }

    @Test("with identity down, a token under an unknown key is answered UNAVAILABLE, naming identity")
    func identityDown() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let channel = RPCChannel(
            socketPath: folder.path + "/none.sock", name: "identity", group: .singleton,
            logger: LogCollector().logger())
        let token = try TokenForge().token()
        let authenticator = AccessTokenAuthenticator(keys: IdentitySigningKeys(channel: channel))
        for _ in 0..<2 {
            await #expect(throws: RPCError.unavailable(neighbour: "identity")) {
                try await authenticator.principal(of: token)
            }
        }
        await channel.close()
    }
}
