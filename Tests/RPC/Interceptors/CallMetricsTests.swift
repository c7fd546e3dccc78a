import RPC
import Testing

@Suite("Counting calls", .timeLimit(.minutes(1)))
struct CallMetricsTests {
    private func call(_ method: MethodDescriptor) -> ServerCall {
        ServerCall(method: method, peer: Peer(uid: 1, gid: 1, pid: 1))
    }

    @Test("each method's calls are counted by how they ended")
    func byMethod() async throws {
        let methods = [MethodDescriptor.test("A"), .test("B"), .test("C")]
        let metrics = CallMetrics(methods: methods)
        let interceptor = MetricsInterceptor(metrics)
        for (number, method) in methods.enumerated() {
            for _ in 0...number { try await interceptor.begin(call(method)) }
        }
        interceptor.end(call(methods[2]), outcome: nil)
        for code in RPCError.Code.allCases { interceptor.end(call(methods[1]), outcome: RPCError(code, "")) }
        #expect(methods.map { metrics[$0]?.started } == [1, 2, 3])
        #expect(metrics[methods[0]]?.finished.map(\.count).allSatisfy { $0 == 0 } == true)
        #expect(metrics[methods[1]]?.finished.map(\.count) == [0] + RPCError.Code.allCases.map { _ in 1 })
        #expect(metrics[methods[2]]?.finished.filter { $0.count > 0 }.map(\.code) == [nil])
        #expect(metrics[methods[2]]?.inFlight == 2)
    }

    @Test("a method that isn't served is not counted")
    func unknown() async throws {
        let metrics = CallMetrics(methods: [.echo])
        let interceptor = MetricsInterceptor(metrics)
        try await interceptor.begin(call(.count))
        interceptor.end(call(.count), outcome: nil)
        #expect(metrics[.count] == nil)
        #expect(metrics[.echo]?.started == 0)
    }

    @Test("calls over a socket are counted, those that take long in the right place")
    func overSocket() async throws {
        let gate = Gate()
        let slow = MethodHandler.unary(.test("Slow")) { (request: Text, _) in
            try await gate.wait()
            return request
        }
        let methods = [MethodDescriptor.echo, .test("Slow"), .count]
        let metrics = CallMetrics(methods: methods)
        try await withServer([.echo, slow, .count], interceptors: [MetricsInterceptor(metrics)]) { channel, _ in
            for _ in 0..<10 { _ = try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            for try await _ in channel.serverStreaming(.count, Text(service: "3"), options: .init(), as: Text.self) {}
            let options = CallOptions(timeout: .seconds(30))
            async let answer: Text = channel.unary(.test("Slow"), Text(), options: options)
            try await eventually("it is in flight") { metrics[.test("Slow")]?.inFlight == 1 }
            let began = ContinuousClock.now
            try await eventually("a while passes") { began.duration(to: .now) > .milliseconds(12) }
            gate.open()
            _ = try await answer
        }
        #expect(metrics[.echo]?.started == 10)
        #expect(metrics[.echo]?.finished.first?.count == 10)
        #expect(metrics[.echo]?.inFlight == 0)
        #expect(metrics[.count]?.finished.first?.count == 1)
        let waited = try #require(metrics[.test("Slow")])
        #expect(waited.nanoseconds > 12_000_000)
        let tenMilliseconds = try #require(CallMetrics.durationBounds.firstIndex(of: 10_000_000))
        #expect(waited.atMost[tenMilliseconds] == 0)
        #expect(waited.atMost.last == 1)
    }

    @Test("nothing is lost when many tasks count at once")
    func concurrent() async throws {
        let metrics = CallMetrics(methods: [.echo, .count])
        let interceptor = MetricsInterceptor(metrics)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<16 {
                tasks.addTask {
                    for _ in 0..<1000 {
                        try await interceptor.begin(self.call(.echo))
                        interceptor.end(self.call(.echo), outcome: nil)
                    }
                }
            }
            try await tasks.waitForAll()
        }
        #expect(metrics[.echo]?.started == 16_000)
        #expect(metrics[.echo]?.finished.first?.count == 16_000)
        #expect(metrics[.count]?.started == 0)
    }
}
