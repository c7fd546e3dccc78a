import Logging
import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("HTTP/2's rules for requests", .timeLimit(.minutes(1)))
struct RequestRulesTests {
    /// A server whose `Echo` answers and counts, and what it logs.
    private func withLoggingServer(
        _ handlers: [MethodHandler] = [.echo],
        _ body: (_ server: RPCServer, _ path: String, _ log: Shared<[String]>) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let log = Shared<[String]>([])
            var configuration = RPCServer.Configuration(socketPath: folder + "/s.sock")
            configuration.drainTimeout = .milliseconds(500)
            configuration.cancelTimeout = .milliseconds(500)
            let server = RPCServer(
                configuration: configuration, handlers: handlers, health: HealthService(),
                logger: Logger(label: "test") { _ in KeepingLog(log) }, group: testGroup)
            try await server.start()
            do {
                try await body(server, folder + "/s.sock", log)
                await server.shutDown()
            } catch {
                await server.shutDown()
                throw error
            }
        }
    }

    // MARK: What is right

    static let authorities = [
        "localhost", "localhost:443", "/run/samtal/chat.sock", "unix:/run/chat.sock", "%2Frun%2Fchat.sock", "@chat",
        "run\\chat.sock", "[::1]", "a b", "", " ", "\u{e5}", "user@host", "?#",
        String(repeating: "/long", count: 200),
    ]

    @Test("an authority may be anything on a Unix socket, and be missing", arguments: authorities)
    func takesAnyAuthority(authority: String) async throws {
        try await withLoggingServer { server, path, log in
            let client = try FrameClient(path)
            let requests: [Fields] = [
                .request(without: [":authority"], first: [(":authority", authority)]),
                .request(without: [":authority"]), .request(without: [":authority"], adding: [("host", authority)]),
                .request(adding: [("host", authority)]),
            ]
            for (number, request) in requests.enumerated() {
                let stream = number * 2 + 1
                client.send(.headers(stream, request), .data(stream, framed("x"), end: true))
                #expect(client.end(of: stream)?.kind == .headers)
                #expect(client.body(of: stream) == framed("x"))
            }
            #expect(server.statistics.streamErrors == 0)
            #expect(log.value == [])
        }
    }

    @Test(
        "what is allowed is taken",
        arguments: [
            [("te", "TRAILERS")], [("te", " trailers ")], [("content-length", "8")], [("content-length", " 8\t")],
            [("content-length", "0000000000000000008")], [("x!y#z", "1")], [("x-a", "")], [("x-a", "\u{7f}\u{1}")],
            [("cookie", "a=b"), ("cookie", "c=d")], [("user-agent", "\u{ff}")], [("priority", "u=0, i")],
        ])
    func takesWhatIsAllowed(fields: [(String, String)]) async throws {
        try await withLoggingServer { server, path, _ in
            let client = try FrameClient(path)
            let without: Set<String> = fields.contains { $0.0 == "te" } ? ["te"] : []
            client.send(.headers(1, .request(without: without, adding: fields)), .data(1, framed("x"), end: true))
            #expect(client.end(of: 1)?.kind == .headers)
            #expect(client.body(of: 1) == framed("x"))
            #expect(server.statistics.streamErrors == 0)
        }
    }

    @Test("a method or scheme of another kind is HTTP, and is refused in HTTP's terms or not at all")
    func takesOtherMethods() async throws {
        try await withLoggingServer { server, path, _ in
            let client = try FrameClient(path)
            let requests: [Fields] = [
                .request(without: [":method"], first: [(":method", "OPTIONS")]),
                .request("*", without: [":method"], first: [(":method", "OPTIONS")]),
                [(Array(":method".utf8), Array("CONNECT".utf8)), (Array(":authority".utf8), Array("x".utf8))],
                .request(without: [":method"], first: [(":method", "B-R_E~W")]),
            ]
            for (number, request) in requests.enumerated() {
                client.send(.headers(number * 2 + 1, request, end: true))
                let end = client.end(of: number * 2 + 1)
                #expect(end?.kind == .headers)
                // Not ":status 200", whose place in HPACK's static table is 8.
                #expect(end?.payload.first != 0x88)
            }
            for (number, scheme) in ["HTTP", "https", "unix", "a+b-c.1"].enumerated() {
                let stream = 101 + number * 2
                let request = Fields.request(without: [":scheme"], first: [(":scheme", scheme)])
                client.send(.headers(stream, request), .data(stream, framed("x"), end: true))
                #expect(client.end(of: stream)?.kind == .headers)
                #expect(client.body(of: stream) == framed("x"))
            }
            #expect(server.statistics.streamErrors == 0)
        }
    }

    @Test("padding is no part of a body's length")
    func ignoresPadding() async throws {
        try await withLoggingServer { server, path, _ in
            let client = try FrameClient(path)
            let body = framed("x")
            client.send(
                .headers(1, .request(adding: [("content-length", String(body.count))])),
                .make(.data, flags: 0x8, stream: 1, [100] + body + [UInt8](repeating: 0, count: 100)),
                .make(.data, flags: 0x9, stream: 1, [3, 0, 0, 0]))
            #expect(client.end(of: 1)?.kind == .headers)
            #expect(server.statistics.streamErrors == 0)
        }
    }

    // MARK: What is wrong

    @Test("a breach resets its stream, and no other", arguments: RequestBreach.all)
    func resetsStreams(breach: RequestBreach) async throws {
        let gate = Gate()
        let taken = Shared(0)
        let echo = MethodHandler.unary(.echo) { (request: Text, _) in
            taken.update { $0 += 1 }
            return request
        }
        let waiting = MethodHandler.serverStreaming(.count) { (_: Text, _: ResponseWriter<Text>, _) in
            try await gate.wait()
        }
        try await withLoggingServer([echo, waiting]) { server, path, log in
            let client = try FrameClient(path)
            // So that nothing is refused for want of an acknowledgement, and each frame is read for itself.
            client.read { $0.contains { $0.kind == .settings } }
            client.send(.settingsAcknowledged)
            client.send(breach.frames)
            let end = client.end(of: 1)
            #expect(end?.kind == .reset)
            #expect(end?.errorCode == breach.code)
            #expect(taken.value == 0)
            client.send(.headers(3, .request()), .data(3, framed("next"), end: true))
            #expect(client.end(of: 3)?.kind == .headers)
            #expect(client.body(of: 3) == framed("next"))
            #expect(server.statistics.streamErrors == 1)
            #expect(server.statistics.protocolErrors == 0)
            #expect(log.value.count == 1)
            #expect(log.value.first?.contains("rule=\(breach.rule) ") == true)
            gate.open()
        }
    }

    @Test("DATA on a stream that no headers have opened ends the connection")
    func endsConnections() async throws {
        try await withLoggingServer { server, path, _ in
            let client = try FrameClient(path)
            client.send(.data(1, framed("x"), end: true))
            let end = client.end(of: 1)
            #expect(end?.kind == .goAway)
            #expect(end?.errorCode == 1)
            try await eventually("it is counted") { server.statistics.protocolErrors == 1 }
            #expect(server.statistics.streamErrors == 0)
        }
    }

    @Test("a handler that has begun is cancelled when the rest of its request breaks a rule")
    func cancelsHandlers() async throws {
        let seen = Shared<RPCError?>(nil)
        let isCancelled = Shared(false)
        let handler = MethodHandler.bidirectional(.chat) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, _) in
            do {
                for try await request in requests { try await writer.send(request) }
            } catch {
                isCancelled.update { $0 = Task.isCancelled }
                seen.update { $0 = error as? RPCError }
                throw error
            }
        }
        try await withLoggingServer([handler]) { server, path, _ in
            let client = try FrameClient(path)
            let length = [("content-length", String(framed("one").count + 1))]
            client.send(.headers(1, .request(MethodDescriptor.chat.path, adding: length)), .data(1, framed("one")))
            client.read { $0.contains { $0.kind == .data } }
            #expect(client.body(of: 1) == framed("one"))
            client.send(.data(1, framed("two")))
            #expect(client.end(of: 1)?.errorCode == 1)
            try await eventually("the handler is told") { seen.value?.code == .cancelled }
            #expect(isCancelled.value)
            try await eventually("nothing is left of it") { server.statistics.openCalls == 0 }
        }
    }

    @Test("the rules hold for headers over the limit, too")
    func comesBeforeTheLimit() async throws {
        try await withLoggingServer { server, path, _ in
            let client = try FrameClient(path)
            let many = [(String, String)](repeating: ("x-a", "1"), count: 600)
            client.send(.headers(1, .request(adding: many)), .data(1, framed("x"), end: true))
            #expect(client.end(of: 1)?.kind == .headers)
            #expect(client.body(of: 1) == [])
            #expect(server.statistics.streamErrors == 0)
            client.send(.headers(3, .request(adding: many + [("connection", "x")])), .data(3, framed("x"), end: true))
            #expect(client.end(of: 3)?.errorCode == 1)
            #expect(server.statistics.streamErrors == 1)
        }
    }
}
