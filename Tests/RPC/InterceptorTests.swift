import RPC
import Testing

/// Writes down what it sees.
private struct Recorder: ServerInterceptor, ClientInterceptor {
    let name: String
    let log: Shared<[String]>
    var refusal: RPCError?

    func begin(_ call: ServerCall) async throws(RPCError) {
        log.update { $0.append("begin \(name) \(call.method.method)") }
        if let refusal { throw refusal }
    }

    func end(_ call: ServerCall, outcome: RPCError?) {
        log.update { $0.append("end \(name) \(outcome?.code.name ?? "OK")") }
    }

    func begin(_ method: MethodDescriptor, options: inout CallOptions) async throws(RPCError) {
        options.metadata.add("x-by", name)
        log.update { $0.append("begin \(name) \(method.method)") }
        if let refusal { throw refusal }
    }

    func end(_ method: MethodDescriptor, outcome: RPCError?) {
        log.update { $0.append("end \(name) \(outcome?.code.name ?? "OK")") }
    }
}

@Suite("Interceptors", .timeLimit(.minutes(1)))
struct InterceptorTests {
    private static let user = CallKey<String>("user")
    private static let userNumber = CallKey<Int>("user")

    @Test("they begin in order and end in reverse, around unary calls, streams and health checks")
    func surroundsCalls() async throws {
        let log = Shared<[String]>([])
        let chain = [Recorder(name: "a", log: log), Recorder(name: "b", log: log)]
        try await withServer([.echo, .count], interceptors: chain) { channel, _ in
            let _: Text = try await channel.unary(.echo, Text(), options: .init())
            #expect(log.value == ["begin a Echo", "begin b Echo", "end b OK", "end a OK"])
            log.update { $0 = [] }
            for try await _ in channel.serverStreaming(.count, Text(service: "2"), options: .init(), as: Text.self) {}
            #expect(log.value == ["begin a Count", "begin b Count", "end b OK", "end a OK"])
            log.update { $0 = [] }
            _ = try await HealthV1.HealthClient(channel: channel).check(.init())
            #expect(log.value == ["begin a Check", "begin b Check", "end b OK", "end a OK"])
        }
    }

    @Test("one that refuses keeps the handler and those after it from running, and is not ended")
    func refuses() async throws {
        let log = Shared<[String]>([])
        let refusal = RPCError(.permissionDenied, "not for you", reason: "ROLE")
        let chain = [
            Recorder(name: "a", log: log), Recorder(name: "b", log: log, refusal: refusal),
            Recorder(name: "c", log: log),
        ]
        try await withServer([.echo], interceptors: chain) { channel, _ in
            let status = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(status == refusal)
            #expect(log.value == ["begin a Echo", "begin b Echo", "end a PERMISSION_DENIED"])
        }
    }

    @Test("the outcome they see is what the caller was told")
    func seesOutcome() async throws {
        let log = Shared<[String]>([])
        let gate = Gate()
        let method = MethodDescriptor.test("Slow", deadline: .milliseconds(20))
        let handler = MethodHandler.unary(method) { (request: Text, _) in
            // It swallows its cancellation and answers as if nothing had been.
            try? await gate.wait()
            return request
        }
        try await withServer([handler], interceptors: [Recorder(name: "a", log: log)]) { channel, _ in
            let status = try await status { try await channel.unary(method, Text(), options: .init(), as: Text.self) }
            #expect(status?.code == .deadlineExceeded)
            try await eventually("the call is ended") { log.value.count == 2 }
            #expect(log.value.last == "end a DEADLINE_EXCEEDED")
        }
    }

    @Test("values they attach are there for those after them, by name and type")
    func attachesValues() {
        let call = ServerCall(method: .echo, peer: Peer(uid: 1, gid: 2, pid: 3))
        #expect(call[InterceptorTests.user] == nil)
        call[InterceptorTests.user] = "x"
        call[InterceptorTests.userNumber] = 7
        #expect(call[InterceptorTests.user] == "x")
        #expect(call[InterceptorTests.userNumber] == 7)
        let keys = ["k0", "k1", "k2", "k3"].enumerated()
        let named: [CallKey<String>] = [.init("k0"), .init("k1"), .init("k2"), .init("k3")]
        for (index, name) in keys { call[named[index]] = name }
        for (index, name) in keys { #expect(call[named[index]] == name) }
        call[InterceptorTests.user] = nil
        call[named[1]] = "changed"
        call[named[3]] = nil
        #expect(call[InterceptorTests.user] == nil)
        #expect(call[InterceptorTests.userNumber] == 7)
        #expect(call[named[1]] == "changed")
        #expect(call[named[3]] == nil)
        call[named[2]] = "again"
        #expect(call[named[2]] == "again")
    }

    @Test("a client's begin in order, end in reverse, and may add metadata")
    func surroundsClientCalls() async throws {
        let log = Shared<[String]>([])
        let seen = Shared<[String]>([])
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.metadata.values("x-by") }
            return request
        }
        let chain = [Recorder(name: "a", log: log), Recorder(name: "b", log: log)]
        try await withServer([handler, .count], clientInterceptors: chain) { channel, _ in
            let _: Text = try await channel.unary(.echo, Text(), options: .init())
            #expect(seen.value == ["a", "b"])
            #expect(log.value == ["begin a Echo", "begin b Echo", "end b OK", "end a OK"])
            log.update { $0 = [] }
            for try await _ in channel.serverStreaming(.count, Text(service: "9"), options: .init(), as: Text.self) {
                break
            }
            try await eventually("the stream is let go of") { log.value.count == 4 }
            #expect(log.value == ["begin a Count", "begin b Count", "end b CANCELLED", "end a CANCELLED"])
        }
    }

    @Test("a client's that refuses ends the call before it is made, streams too")
    func refusesClientCalls() async throws {
        let log = Shared<[String]>([])
        let refusal = RPCError(.resourceExhausted, "later")
        let chain = [Recorder(name: "a", log: log), Recorder(name: "b", log: log, refusal: refusal)]
        try await withServer([.echo, .count], clientInterceptors: chain) { channel, _ in
            let unary = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(unary == refusal)
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var iterator = stream.makeAsyncIterator()
            let streaming = try await status { try await iterator.next() }
            #expect(streaming == refusal)
            #expect(
                log.value.filter { $0.hasPrefix("end") } == ["end a RESOURCE_EXHAUSTED", "end a RESOURCE_EXHAUSTED"])
        }
    }

    @Test("trailers they set go out with the status, good or bad")
    func setsTrailers() async throws {
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            call.setTrailer("x-cost", "1")
            call.setTrailer("x-cost", "2")
            if request.service == "fail" { throw RPCError(.aborted, "no") }
            return request
        }
        try await withServer([handler]) { _, path in
            for (text, code) in [("fine", "0"), ("fail", "10")] {
                let client = try RawClient(path)
                client.open()
                let response = client.request(.request(), body: framed(text))
                client.finish(response)
                #expect(response.headers["grpc-status"] == code)
                #expect(response.headers["x-cost"] == "2")
            }
        }
    }
}
