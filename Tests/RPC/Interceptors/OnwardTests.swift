import RPC
import Testing

/// A caller, a server that asks another on its behalf, and that other.
@Suite("Calls on behalf of calls", .timeLimit(.minutes(1)))
struct OnwardTests {
    private static let ask = MethodDescriptor.test("Ask", deadline: .seconds(10))
    private static let answer = MethodDescriptor.test("Answer", deadline: .seconds(10))

    /// Both servers with the interceptors of a service, and channels with those of its channels.
    private func withTwoServers(
        near: @escaping @Sendable (Text, ServerCall, RPCChannel) async throws -> Text,
        far: @escaping @Sendable (Text, ServerCall) async throws -> Text, _ body: (RPCChannel) async throws -> Void
    ) async throws {
        let interceptors: [any ClientInterceptor] = [TraceInterceptor(), DeadlineInterceptor(maximum: .seconds(60))]
        let answer = MethodHandler.unary(Self.answer) { (request: Text, call) in try await far(request, call) }
        try await withServer([answer], interceptors: [TraceInterceptor()], clientInterceptors: interceptors) {
            onward, _ in
            let ask = MethodHandler.unary(Self.ask) { (request: Text, call) in try await near(request, call, onward) }
            try await withServer([ask], interceptors: [TraceInterceptor()], clientInterceptors: interceptors) {
                channel, _ in
                try await body(channel)
            }
        }
    }

    private static func passOn(_ request: Text, _ call: ServerCall, _ channel: RPCChannel) async throws -> Text {
        try await channel.unary(answer, request, options: .onward(from: call))
    }

    @Test("the second server has less time than the caller gave, and ends with it")
    func deadline() async throws {
        let left = Shared<Duration?>(nil)
        let wasCancelled = Shared(false)
        let gate = Gate()
        try await withTwoServers(
            near: Self.passOn,
            far: { _, call in
                left.update { $0 = call.deadline.map { ContinuousClock.now.duration(to: $0) } }
                do { try await gate.wait() } catch {
                    wasCancelled.update { $0 = true }
                    throw error
                }
                return Text()
            },
            { channel in
                // On a busy machine the time may be over before the second server is reached.
                for milliseconds in [500, 2000, 8000] where left.value == nil {
                    let options = CallOptions(timeout: .milliseconds(milliseconds))
                    let began = ContinuousClock.now
                    let status = try await status {
                        try await channel.unary(Self.ask, Text(), options: options, as: Text.self)
                    }
                    #expect(status?.code == .deadlineExceeded)
                    #expect(began.duration(to: .now) >= .milliseconds(milliseconds))
                    guard let left = left.value else { continue }
                    #expect(left < .milliseconds(milliseconds))
                }
                #expect(left.value != nil)
                try await eventually("the second server's handler is cancelled") { wasCancelled.value }
            })
    }

    @Test("a caller that cancels cancels the second server's handler")
    func cancellation() async throws {
        let gate = Gate()
        let wasCancelled = Shared(false)
        try await withTwoServers(
            near: Self.passOn,
            far: { _, _ in
                do { try await gate.wait() } catch {
                    wasCancelled.update { $0 = true }
                    throw error
                }
                return Text()
            },
            { channel in
                let call = Task { try await channel.unary(Self.ask, Text(), options: .init(), as: Text.self) }
                try await eventually("the second server waits") { gate.waiting == 1 }
                call.cancel()
                let status = try await status { try await call.value }
                #expect(status?.code == .cancelled)
                try await eventually("the second server's handler is cancelled") { wasCancelled.value }
            })
    }

    @Test("both calls are spans of the caller's trace, the first the parent of the second")
    func trace() async throws {
        let near = Shared<[TraceContext]>([])
        let far = Shared<[(TraceContext, String?)]>([])
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        try await withTwoServers(
            near: { request, call, channel in
                near.update { $0.append(call.trace) }
                return try await Self.passOn(request, call, channel)
            },
            far: { request, call in
                let parent = call.metadata[first: "traceparent"]
                far.update { $0.append((call.trace, parent)) }
                return request
            },
            { channel in
                let traced = CallOptions(metadata: [
                    "traceparent": "00-\(trace)-00f067aa0ba902b7-01", "tracestate": "vendor=1",
                ])
                let _: Text = try await channel.unary(Self.ask, Text(), options: traced)
                let _: Text = try await channel.unary(Self.ask, Text(), options: .init())
            })
        #expect(near.value.first?.traceID == trace)
        #expect(near.value.last?.traceID != trace)
        for (near, (far, parent)) in zip(near.value, far.value) {
            #expect(far.traceID == near.traceID)
            #expect(far.spanID != near.spanID)
            #expect(far.isSampled == near.isSampled)
            #expect(far.state == near.state)
            #expect(parent?.contains("-\(near.traceID)-\(near.spanID)-") == true)
        }
        #expect(near.value.first?.state == "vendor=1")
        #expect(far.value.count == 2)
    }

    @Test("authorisation stays behind")
    func authorisation() async throws {
        let seen = Shared<String?>("")
        try await withTwoServers(
            near: Self.passOn,
            far: { request, call in
                seen.update { $0 = call.metadata[first: "authorization"] }
                return request
            },
            { channel in
                let options = CallOptions(metadata: ["authorization": "Bearer secret"])
                let _: Text = try await channel.unary(Self.ask, Text(), options: options)
            })
        #expect(seen.value == nil)
    }
}

@Suite("A caller's deadlines")
struct CallerDeadlineTests {
    /// How long the call may take with a maximum of a minute.
    private func timeout(_ method: MethodDescriptor, _ timeout: Duration?) async throws -> Duration? {
        var options = CallOptions(timeout: timeout)
        let before = ContinuousClock.now
        try await DeadlineInterceptor(maximum: .seconds(60)).begin(method, options: &options)
        return options.deadline.map { before.duration(to: $0) }
    }

    @Test(
        "a unary call gets its method's deadline, or the maximum, and keeps a shorter one of its own",
        arguments: [
            (nil, nil, 60), (10, nil, 10), (600, nil, 60), (nil, 5, 5), (10, 30, 30), (10, 3600, 60),
        ] as [(Int?, Int?, Int)])
    func unary(methods: Int?, own: Int?, expected: Int) async throws {
        let method = MethodDescriptor.test("Any", deadline: methods.map { .seconds($0) })
        let timeout = try #require(try await timeout(method, own.map { .seconds($0) }))
        // Between asking and answering some time passes.
        #expect(abs(timeout / .seconds(1) - Double(expected)) < 1)
    }

    @Test("a stream stays open as long as its caller wants")
    func streams() async throws {
        let open = try await timeout(.count, nil)
        #expect(open == nil)
        let long = try #require(try await timeout(.count, .seconds(3600)))
        #expect(long > .seconds(3590))
    }
}

@Suite("Methods and what belongs to them")
struct MethodMapTests {
    @Test("each method finds its own value, by any descriptor of its path")
    func finds() {
        let methods = (0..<100).map { MethodDescriptor.test("M\($0)") }
        let map = MethodMap(methods) { $0.method }
        for method in methods { #expect(map[method] == method.method) }
        #expect(map[.test("M7")] == "M7")
        #expect(map[.test("M100")] == nil)
        #expect(MethodMap([]) { $0.method }[.echo] == nil)
    }

    @Test("of two methods of one path the first counts, found by either")
    func twice() {
        let pair = [MethodDescriptor.test("A", deadline: .seconds(1)), .test("A", deadline: .seconds(2))]
        let map = MethodMap(pair) { $0.defaultDeadline }
        #expect(map[pair[0]] == .seconds(1))
        #expect(map[pair[1]] == .seconds(1))
    }
}
