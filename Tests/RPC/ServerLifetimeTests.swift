import Logging
import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("How long a server keeps connections, and what it counts", .timeLimit(.minutes(1)))
struct ServerLifetimeTests {
    private func withRawServer(
        _ handlers: [MethodHandler] = [.echo], configure: (inout RPCServer.Configuration) -> Void = { _ in },
        _ body: (RPCServer, String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let server = makeServer(path, handlers, configure: configure)
            try await server.start()
            do {
                try await body(server, path)
                await server.shutDown()
            } catch {
                await server.shutDown()
                throw error
            }
        }
    }

    private func echo(on client: RawClient) async throws {
        let response = client.request(.request(), body: framed("x"))
        try await client.wait(for: response)
        #expect(response.headers["grpc-status"] == "0")
    }

    // MARK: Keepalive

    @Test("a caller that answers pings is kept, however long it is silent otherwise")
    func keepsAnsweringCallers() async throws {
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.keepaliveInterval = .milliseconds(10)
            configuration.keepaliveTimeout = .seconds(10)
        }
        try await withRawServer(configure: configure) { server, path in
            let client = try RawClient(path)
            client.open()
            try await echo(on: client)
            // Three pings, which nghttp2 answers, and the acknowledgement of the settings.
            try await client.wait { client.receivedControls >= 4 }
            #expect(client.receivedControls >= 4)
            try await echo(on: client)
            #expect(server.statistics.keepaliveTimeouts == 0)
        }
    }

    @Test("a caller that doesn't answer a ping is closed")
    func closesDeadCallers() async throws {
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.keepaliveInterval = .milliseconds(20)
            configuration.keepaliveTimeout = .milliseconds(20)
        }
        try await withRawServer(configure: configure) { server, path in
            let client = try RawClient(path)
            client.open()
            try await echo(on: client)
            // What comes is taken off the socket, and never looked at.
            while !client.isClosed { _ = client.read() }
            try await eventually("it is counted") { server.statistics.keepaliveTimeouts == 1 }
        }
    }

    @Test("a caller may ask for signs of life itself, as often as gRPC's clients do")
    func answersPings() async throws {
        try await withRawServer { server, path in
            let client = try RawClient(path)
            client.open()
            try await echo(on: client)
            for _ in 0..<50 { client.ping() }
            try await client.wait { client.receivedControls >= 51 }
            #expect(client.receivedControls == 51)
            try await echo(on: client)
            #expect(server.statistics.floods == 0)
        }
    }

    // MARK: Idle and age

    @Test("a connection without calls is let go in good order, one with a call is not")
    func endsIdleConnections() async throws {
        let gate = Gate()
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            try await gate.wait()
        }
        try await withRawServer([.echo, handler], configure: { $0.maxConnectionIdle = .milliseconds(30) }) { _, path in
            let busy = try RawClient(path)
            busy.open()
            let call = busy.request(.request(MethodDescriptor.count.path), body: framed("x"))
            let idle = try RawClient(path)
            idle.open()
            try await echo(on: idle)
            try await idle.wait { idle.isClosed }
            #expect(idle.goAways >= 1)
            #expect(idle.isClosed)
            #expect(!busy.isClosed)
            gate.open()
            try await busy.wait(for: call)
            #expect(call.headers["grpc-status"] == "0")
            try await busy.wait { busy.isClosed }
            #expect(busy.isClosed)
        }
    }

    @Test("an old connection is drained: its calls go on to their end, and a channel moves over unnoticed")
    func endsOldConnections() async throws {
        try await withServer([.echo, .count], configure: { $0.maxConnectionAge = .milliseconds(30) }) { channel, path in
            let client = try RawClient(path)
            client.open()
            try await echo(on: client)
            try await client.wait { client.isClosed }
            #expect(client.isClosed)
            #expect(client.goAways >= 1)
            let end = ContinuousClock.now.advanced(by: .milliseconds(300))
            var answered = 0
            while .now < end {
                let response: Text = try await channel.unary(.echo, Text(service: "x"), options: .init())
                #expect(response.service == "x")
                answered += 1
            }
            #expect(answered > 0)
        }
    }

    @Test("calls that outlast their old connection's grace end with UNAVAILABLE")
    func endsOldCalls() async throws {
        let gate = Gate()
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            try await gate.wait()
        }
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxConnectionAge = .milliseconds(20)
            configuration.maxConnectionAgeGrace = .milliseconds(60)
        }
        try await withRawServer([handler], configure: configure) { _, path in
            let client = try RawClient(path)
            client.open()
            let call = client.request(.request(MethodDescriptor.count.path), body: framed("x"))
            try await client.wait(for: call)
            #expect(call.headers["grpc-status"] == String(RPCError.Code.unavailable.rawValue))
            #expect(gate.waiting == 0)
            try await client.wait { client.isClosed }
            #expect(client.isClosed)
        }
    }

    @Test("ages are spread by a tenth")
    func spreadsAges() {
        #expect(ConnectionLifetime.jittered(.seconds(100), chance: 0) == .seconds(90))
        #expect(ConnectionLifetime.jittered(.seconds(100), chance: 0.5) == .seconds(100))
        let latest = ConnectionLifetime.jittered(.seconds(100), chance: 0.999)
        #expect(latest > .seconds(109) && latest < .seconds(110))
    }

    // MARK: Statistics

    @Test("connections and calls are counted, while they are there and afterwards")
    func countsCalls() async throws {
        let gate = Gate()
        let handler = MethodHandler.unary(.test("Wait")) { (request: Text, _) in
            try await gate.wait()
            return request
        }
        try await withRawServer([.echo, handler]) { server, path in
            #expect(server.statistics == ServerStatistics())
            var client: RawClient? = try RawClient(path)
            client?.open()
            for _ in 0..<3 {
                if let client { try await echo(on: client) }
            }
            let waiting = client?.request(.request(MethodDescriptor.test("Wait").path), body: framed("x"))
            try await eventually("the handler waits") { gate.waiting == 1 }
            var expected = ServerStatistics()
            expected.accepted = 1
            expected.openConnections = 1
            expected.openCalls = 1
            expected.callsStarted = 4
            #expect(server.statistics == expected)
            gate.open()
            if let waiting { try await client?.wait(for: waiting) }
            client = nil
            expected.openConnections = 0
            expected.openCalls = 0
            try await eventually("the connection is gone") { server.statistics == expected }
        }
    }

    @Test("refused peers are counted apart from those beyond the limit")
    func countsRefusals() async throws {
        let accepts = Shared(true)
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxConnections = 1
            configuration.acceptPeer = { _ in accepts.value }
        }
        try await withRawServer(configure: configure) { server, path in
            let first = try RawClient(path)
            first.open()
            try await echo(on: first)
            for _ in 0..<2 {
                let second = try RawClient(path)
                try await second.wait { second.isClosed }
                #expect(second.isClosed)
            }
            accepts.update { $0 = false }
            let third = try RawClient(path)
            try await third.wait { third.isClosed }
            let statistics = server.statistics
            #expect(statistics.accepted == 1)
            #expect(statistics.refusedForLimit == 2)
            #expect(statistics.refusedPeers == 1)
            #expect(statistics.openConnections == 1)
        }
    }

    @Test("one process has so many connections, and is refused more though the server has room")
    func boundsProcess() async throws {
        try await withRawServer(configure: { $0.maxConnectionsOfProcess = 2 }) { server, path in
            var clients = [try RawClient(path), try RawClient(path)]
            for client in clients {
                client.open()
                try await echo(on: client)
            }
            let third = try RawClient(path)
            try await third.wait { third.isClosed }
            #expect(third.isClosed)
            #expect(server.statistics.refusedForProcessLimit == 1 && server.statistics.refusedForLimit == 0)
            clients.removeLast()
            try await eventually("one is gone") { server.statistics.openConnections == 1 }
            let fourth = try RawClient(path)
            fourth.open()
            try await echo(on: fourth)
        }
    }

    @Test("a connection that was closed leaves nothing behind, whatever its calls' deadlines were")
    func leavesNothingBehind() async throws {
        let gate = Gate()
        weak var held: Gate?
        held = gate
        try await closeWithDeadlines(gate)
        _ = consume gate
        try await eventually("all is let go of") { held == nil }
    }

    /// A call with a deadline of thousands of years waits at the gate, which only its server holds, while the caller is
    /// closed for a header block that doesn't end.
    private func closeWithDeadlines(_ gate: Gate) async throws {
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            try await gate.wait()
        }
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.requestTimeout = .milliseconds(50)
        }
        try await withRawServer([.echo, handler], configure: configure) { server, path in
            let client = try RawClient(path)
            client.open()
            // Nothing may have to be acknowledged any more amid the header block.
            try await echo(on: client)
            let headers = Metadata.request(MethodDescriptor.count.path, changes: ["grpc-timeout": "99999999H"])
            _ = client.request(headers, body: framed("x"))
            try await eventually("the handler waits") { gate.waiting == 1 }
            // ":method POST", without the end of the headers.
            client.write(Frame.make(.headers, stream: 5, [0x83]).bytes)
            try await client.wait { client.isClosed }
            try await eventually("the connection is gone") { server.statistics.openConnections == 0 }
        }
    }

    @Test(
        "whatever the protocol's breach is, it is counted once",
        arguments: [
            // An index that HPACK's tables don't have, a PING of seven bytes, a stream of an even number.
            Frame.make(.headers, flags: 0x5, stream: 1, [0xFF, 0xFF, 0xFF, 0x7F]),
            .make(.ping, [1, 2, 3, 4, 5, 6, 7]), .headers(2, [(":method", "POST")], end: true),
        ])
    func countsBreaches(frame: Frame) async throws {
        try await withRawServer { server, path in
            let client = try RawClient(path)
            client.open()
            try await echo(on: client)
            client.write(frame.bytes)
            try await client.wait { client.isClosed }
            try await eventually("the connection is gone") { server.statistics.openConnections == 0 }
            #expect(server.statistics.protocolErrors == 1)
            #expect(server.statistics.floods == 0)
        }
    }

    @Test("resets that the server is made to send are a flood, and so are settings without end")
    func countsProvokedResets() async throws {
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxResetsPerSecond = 5
            configuration.maxControlFramesPerSecond = 100_000
        }
        try await withRawServer(configure: configure) { server, path in
            let client = try RawClient(path)
            client.open()
            client.flush()
            var frames: [UInt8] = []
            for number in 0..<100 {
                let stream = number * 2 + 1
                frames += Frame.headers(stream, Metadata.request().pairs.map { ($0.name, $0.value) }).bytes
                // A window beyond what there can be is an error of the stream's (RFC 9113, 6.9.1).
                frames += Frame.windowUpdate(stream, 0x7FFF_FFFF).bytes
            }
            client.write(frames)
            try await client.wait { client.isClosed }
            try await eventually("it is counted") { server.statistics.floods == 1 }
            for frame in [Frame.settings(), .settings((0..<100).map { _ in (4, 1000) })] {
                let floods = server.statistics.floods
                let client = try RawClient(path)
                client.open()
                client.flush()
                client.write(repeated(frame.bytes, 1000))
                try await client.wait { client.isClosed }
                try await eventually("it is counted") { server.statistics.floods == floods + 1 }
            }
            #expect(server.statistics.protocolErrors == 0)
        }
    }

    @Test("a connection that ends in good order is no fault")
    func countsNoGoodEnds() async throws {
        try await withRawServer(configure: { $0.maxConnectionIdle = .milliseconds(20) }) { server, path in
            let client = try RawClient(path)
            client.open()
            try await echo(on: client)
            try await client.wait { client.isClosed }
            try await eventually("the connection is gone") { server.statistics.openConnections == 0 }
            #expect(server.statistics.protocolErrors == 0)
        }
    }

    @Test("whoever connects in vain or for mischief, again and again, doesn't fill the log")
    func boundsItsLog() async throws {
        let lines = Shared<[String]>([])
        let accepts = Shared(false)
        try await withTemporaryFolder { folder in
            var configuration = RPCServer.Configuration(socketPath: folder + "/s.sock")
            configuration.acceptPeer = { _ in accepts.value }
            let server = RPCServer(
                configuration: configuration, handlers: [], health: HealthService(),
                logger: Logger(label: "test") { _ in KeepingLog(lines) }, group: testGroup)
            try await server.start()
            for index in 0..<200 {
                if index == 100 { accepts.update { $0 = true } }
                let client = try RawClient(folder + "/s.sock")
                client.write(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                try await client.wait { client.isClosed }
            }
            try await eventually("all are counted") {
                server.statistics.refusedPeers == 100 && server.statistics.protocolErrors == 100
            }
            #expect(lines.value.count >= 2 && lines.value.count < 60)
            await server.shutDown()
        }
    }

    @Test("broken protocol and floods are counted apart")
    func countsFaults() async throws {
        try await withRawServer(configure: { $0.maxControlFramesPerSecond = 5 }) { server, path in
            let garbage = try RawClient(path)
            garbage.write(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            try await garbage.wait { garbage.isClosed }
            let flood = try RawClient(path)
            flood.open()
            flood.flush()
            for _ in 0..<200 { flood.ping() }
            try await flood.wait { flood.isClosed }
            try await eventually("both are counted") {
                server.statistics.protocolErrors == 1 && server.statistics.floods == 1
            }
        }
    }
}
