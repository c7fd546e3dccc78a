import NIOCore
import Testing

@testable import RPC

@Suite("Retries by policy", .timeLimit(.minutes(1)))
struct RetryTests {
    private static func quick(_ change: (inout RetryPolicy) -> Void = { _ in }) -> RetryPolicy {
        var policy = RetryPolicy()
        policy.initialBackoff = .milliseconds(2)
        policy.maxBackoff = .milliseconds(10)
        policy.budget.tokens = 1000
        change(&policy)
        return policy
    }

    private static let reads = MethodDescriptor.test("Read", idempotent: true)
    private static let writes = MethodDescriptor.test("Write")
    private static let lists = MethodDescriptor.test("List", .serverStreaming, idempotent: true)
    private static let adds = MethodDescriptor.test("Add", .bidirectional, idempotent: true)

    /// A server whose first calls fail, each in its own way, and a channel with a policy.
    private func withFailures(
        _ failures: [@Sendable (_ stream: Int) -> [Frame]], policy: RetryPolicy?,
        _ body: (_ channel: RPCChannel, _ server: FrameServer) async throws -> Void
    ) async throws {
        let calls = Shared(0)
        try await withTemporaryFolder { folder in
            let server = FrameServer { frame, connection in
                guard frame.endsStream else { return }
                var number = 0
                calls.update {
                    number = $0
                    $0 += 1
                }
                connection.send(
                    number < failures.count ? failures[number](frame.stream) : Frame.answer(frame.stream, "at last"))
            }
            try await server.start(folder + "/s")
            let channel = RPCChannel(
                targets: [.path(folder + "/s")], name: "neighbour", retry: policy, group: testGroup, logger: testLogger)
            try await body(channel, server)
            await channel.close()
            try await server.stop()
        }
    }

    private func ask(_ channel: RPCChannel, _ method: MethodDescriptor = reads, timeout: Duration? = nil) async throws
        -> String
    {
        let response: Text = try await channel.unary(method, Text(), options: CallOptions(timeout: timeout))
        return response.service
    }

    @Test("a call of an idempotent method is made again, and each attempt says how many there were")
    func retries() async throws {
        let fails: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14)] }
        try await withFailures([fails, fails], policy: Self.quick()) { channel, server in
            expectEqual(try await ask(channel), "at last")
            #expect(server.requests.value.map { $0[first: "grpc-previous-rpc-attempts"] } == [nil, "1", "2"])
        }
    }

    @Test("not more often than the policy says, not for other statuses or methods, and not without a policy")
    func stops() async throws {
        let unavailable: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14)] }
        let internalError: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 13)] }
        let many = Array(repeating: unavailable, count: 10)
        for (failures, method, policy, attempts, code) in [
            (many, Self.reads, Self.quick(), 3, RPCError.Code.unavailable),
            (many, Self.reads, Self.quick { $0.maxAttempts = 5 }, 5, .unavailable),
            (many, Self.reads, Self.quick { $0.maxAttempts = 1 }, 1, .unavailable),
            (many, Self.writes, Self.quick(), 1, .unavailable), (many, Self.reads, nil, 1, .unavailable),
            ([internalError], Self.reads, Self.quick(), 1, .internal),
        ] as [([@Sendable (Int) -> [Frame]], MethodDescriptor, RetryPolicy?, Int, RPCError.Code)] {
            try await withFailures(failures, policy: policy) { channel, server in
                expectEqual(try await status { try await ask(channel, method) }?.code, code)
                #expect(server.requests.value.count == attempts)
            }
        }
    }

    @Test("the server may say when to come again, and not to")
    func heedsPushback() async throws {
        let later: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14, [("grpc-retry-pushback-ms", "120")])] }
        try await withFailures([later], policy: Self.quick()) { channel, server in
            let start = ContinuousClock.now
            expectEqual(try await ask(channel), "at last")
            #expect(ContinuousClock.now - start >= .milliseconds(120))
        }
        for text in ["-1", "soon", ""] {
            let never: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14, [("grpc-retry-pushback-ms", text)])] }
            try await withFailures([never], policy: Self.quick()) { channel, server in
                expectEqual(try await status { try await ask(channel) }?.code, .unavailable)
                #expect(server.requests.value.count == 1)
            }
        }
    }

    @Test("no attempt is waited for that would come after the deadline, and waiting can be cancelled")
    func heedsDeadline() async throws {
        let later: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14, [("grpc-retry-pushback-ms", "60000")])] }
        try await withFailures([later, later], policy: Self.quick()) { channel, server in
            expectEqual(
                try await status { try await ask(channel, timeout: .seconds(30)) }?.code, .unavailable)
            let call = Task { try await ask(channel) }
            try await eventually("the second call failed once") { server.requests.value.count == 2 }
            call.cancel()
            expectEqual(try await status { try await call.value }?.code, .cancelled)
        }
    }

    @Test("a stream is made again before its first response, and not after")
    func retriesStreams() async throws {
        let fails: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14)] }
        let failsLater: @Sendable (Int) -> [Frame] = { [.responseHeaders($0), .trailers($0, 14)] }
        let failsMidway: @Sendable (Int) -> [Frame] = {
            [.responseHeaders($0), .data($0, framed("one")), .trailers($0, 14)]
        }
        for (failure, attempts) in [(fails, 2), (failsLater, 1), (failsMidway, 1)] {
            try await withFailures([failure], policy: Self.quick()) { channel, server in
                var received: [String] = []
                let ended = try await status {
                    for try await next in channel.serverStreaming(
                        Self.lists, Text(), options: .init(), as: Text.self)
                    {
                        received.append(next.service)
                    }
                }
                #expect(server.requests.value.count == attempts)
                #expect(ended?.code == (attempts == 2 ? nil : .unavailable))
                if attempts == 2 { #expect(received == ["at last"]) }
            }
        }
    }

    @Test("a stream of requests is said again, by whichever side of it hears of the failure")
    func retriesRequests() async throws {
        let fails: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14)] }
        try await withFailures([fails, fails], policy: Self.quick()) { channel, server in
            let call: BidirectionalCall<Text, Text> = try await channel.bidirectional(Self.adds, options: .init())
            for number in 0..<3 { try await call.send(Text(service: String(number))) }
            call.finish()
            var received: [String] = []
            for try await next in call.responses { received.append(next.service) }
            #expect(received == ["at last"])
            for stream in [1, 3, 5] {
                #expect(server.body(of: stream) == framed("0") + framed("1") + framed("2"))
            }
        }
    }

    @Test("cancelling a call that waits for its next attempt ends it for every side")
    func cancelsWaitingStreams() async throws {
        let later: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14, [("grpc-retry-pushback-ms", "60000")])] }
        try await withFailures([later], policy: Self.quick()) { channel, server in
            let call: BidirectionalCall<Text, Text> = try await channel.bidirectional(Self.adds, options: .init())
            call.finish()
            let reader = Task {
                for try await _ in call.responses {}
            }
            try await eventually("the call was made") { server.requests.value.count == 1 }
            call.cancel()
            expectEqual(try await status { try await reader.value }?.code, .cancelled)
            #expect(server.requests.value.count == 1)
        }
    }

    @Test("a server that is away is tried again as often as the policy says")
    func retriesConnecting() async throws {
        try await withTemporaryFolder { folder in
            let policy = Self.quick {
                $0.initialBackoff = .milliseconds(60)
                $0.maxBackoff = .milliseconds(100)
                $0.maxAttempts = 100
            }
            let channel = RPCChannel(
                targets: [.path(folder + "/s")], name: "neighbour", retry: policy, group: testGroup, logger: testLogger)
            async let answer = ask(channel)
            async let listed = channel.serverStreaming(Self.lists, Text(), options: .init(), as: Text.self)
                .reduce(into: []) { $0.append($1.service) }
            expectEqual(try await status { try await ask(channel, Self.writes) }?.reason, "NEIGHBOUR_UNAVAILABLE")
            let server = FrameServer { frame, connection in
                if frame.endsStream { connection.send(Frame.answer(frame.stream, "up")) }
            }
            try await server.start(folder + "/s")
            #expect(try await answer == "up")
            #expect(try await listed == ["up"])
            await channel.close()
            try await server.stop()
        }
    }

    @Test("a channel that is closed tries nothing again, and takes nothing off the budget", arguments: [false, true])
    func stopsWhenClosed(waits: Bool) async throws {
        let policy = Self.quick {
            $0.initialBackoff = .seconds(30)
            $0.maxBackoff = .seconds(30)
            $0.budget.tokens = 4
        }
        try await withFailures([], policy: policy) { channel, server in
            expectEqual(try await ask(channel), "at last")
            await channel.close()
            let options = CallOptions(waitForReady: waits)
            for _ in 0..<5 {
                let unary = try await status {
                    try await channel.unary(Self.reads, Text(), options: options, as: Text.self)
                }
                let streaming = try await status {
                    for try await _ in channel.serverStreaming(Self.lists, Text(), options: options, as: Text.self) {}
                }
                #expect(unary?.reason == "NEIGHBOUR_UNAVAILABLE")
                #expect(streaming?.reason == "NEIGHBOUR_UNAVAILABLE")
            }
            #expect(server.requests.value.count == 1)
            expectEqual(channel.retrying?.failed(), true)
        }
    }

    @Test("when most attempts fail there are no more retries, until enough calls went well")
    func keepsBudget() async throws {
        let fails: @Sendable (Int) -> [Frame] = { [.trailersOnly($0, 14)] }
        let policy = Self.quick {
            $0.budget = RetryBudget(tokens: 10, ratio: 0.5)
            $0.maxAttempts = 2
        }
        try await withFailures(Array(repeating: fails, count: 12), policy: policy) { channel, server in
            // Ten tokens: four failures leave six, the fifth leaves half.
            for _ in 0..<2 { _ = try await status { try await ask(channel) } }
            expectEqual(server.requests.value.count, 4)
            for _ in 0..<8 { _ = try await status { try await ask(channel) } }
            expectEqual(server.requests.value.count, 12)
            // Nothing is left. Ten calls that go well give back five, which is no more than half.
            for _ in 0..<10 { _ = try await ask(channel) }
            expectEqual(channel.retrying?.failed(), false)
            for _ in 0..<4 { _ = try await ask(channel) }
            expectEqual(channel.retrying?.failed(), false)
            for _ in 0..<3 { _ = try await ask(channel) }
            expectEqual(channel.retrying?.failed(), true)
        }
    }

    @Test("waits grow to the longest, a fifth either way")
    func backsOff() {
        var policy = RetryPolicy()
        policy.initialBackoff = .milliseconds(100)
        policy.maxBackoff = .milliseconds(350)
        #expect(policy.backoff(after: 1, chance: 0.5) == .milliseconds(100))
        #expect(policy.backoff(after: 2, chance: 0.5) == .milliseconds(200))
        #expect(policy.backoff(after: 3, chance: 0.5) == .milliseconds(350))
        #expect(policy.backoff(after: 1000, chance: 0) == .milliseconds(280))
        #expect(policy.backoff(after: 2, chance: 0.99) < .milliseconds(240))
    }

    @Test("budgets are counted as gRFC A6 says")
    func countsBudget() {
        let retrying = Retrying(
            Self.quick { $0.budget = RetryBudget(tokens: 4, ratio: 0.5) })
        #expect(retrying.failed())
        #expect(!retrying.failed())
        retrying.succeeded()
        retrying.succeeded()
        #expect(!retrying.failed())
        for _ in 0..<100 { retrying.succeeded() }
        // Never more than there were.
        #expect(retrying.failed())
        #expect(!retrying.failed())
    }
}
