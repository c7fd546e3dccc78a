import Glibc
import NIOCore
import RPC
import Synchronization
import Testing

@Suite("Callers that misbehave", .timeLimit(.minutes(1)))
struct HostileTests {
    /// What a server that serves `Echo` answers to a request of the test's making.
    private func answer(
        _ headers: Metadata, _ body: [UInt8], configure: (inout RPCServer.Configuration) -> Void = { _ in }
    ) async throws -> [String: String] {
        try await withServer([.echo], configure: configure) { _, path in
            let client = try RawClient(path)
            client.open()
            let response = client.request(headers, body: body)
            client.finish(response)
            return response.headers
        }
    }

    private func expect(
        _ code: RPCError.Code?, _ headers: [String: String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(headers["grpc-status"] == String(code?.rawValue ?? 0), sourceLocation: sourceLocation)
    }

    @Test("a well-formed request is answered")
    func answersWellFormed() async throws {
        expect(nil, try await answer(.request(), framed("x")))
    }

    @Test("a request without te: trailers is answered, and so is one with a content-type suffix")
    func answersLenient() async throws {
        expect(nil, try await answer(.request(changes: ["te": nil]), framed("x")))
        expect(nil, try await answer(.request(changes: ["content-type": "application/grpc+proto"]), framed("x")))
    }

    @Test("what is not gRPC is refused in HTTP's terms")
    func refusesOtherTypes() async throws {
        let json = try await answer(.request(changes: ["content-type": "application/json"]), framed("x"))
        #expect(json[":status"] == "415")
        let get = try await answer(.request(changes: [":method": "GET"]), [])
        #expect(get[":status"] == "405")
    }

    @Test("an unknown encoding is UNIMPLEMENTED and says what is known")
    func refusesEncodings() async throws {
        let headers = try await answer(.request(changes: ["grpc-encoding": "deflate"]), framed("x"))
        expect(.unimplemented, headers)
        #expect(headers["grpc-accept-encoding"] == "identity,gzip")
    }

    @Test("a message marked as compressed, without an encoding, is INTERNAL")
    func refusesCompressed() async throws {
        var body = framed("x")
        body[0] = 1
        expect(.internal, try await answer(.request(), body))
    }

    @Test("no message, two messages and half a message are errors, and no crash")
    func refusesWrongCardinality() async throws {
        expect(.unimplemented, try await answer(.request(), []))
        expect(.unimplemented, try await answer(.request(), framed("x") + framed("y")))
        expect(.internal, try await answer(.request(), Array(framed("a text").dropLast(2))))
        expect(.internal, try await answer(.request(), [0, 0]))
    }

    @Test("a length of four gigabytes is refused, not allocated")
    func refusesHugeLengths() async throws {
        expect(.resourceExhausted, try await answer(.request(), [0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]))
    }

    @Test("a timeout that can't be read is INTERNAL")
    func refusesBadTimeouts() async throws {
        for text in ["", "1", "S", "123456789S", "1x", "-1S"] {
            expect(.internal, try await answer(.request(changes: ["grpc-timeout": text]), framed("x")))
        }
    }

    @Test("a timeout of zero passes at once")
    func endsAtZeroTimeout() async throws {
        let gate = Gate()
        let handler = MethodHandler.unary(.echo) { (request: Text, _) in
            try await gate.wait()
            return request
        }
        try await withServer([handler]) { _, path in
            let client = try RawClient(path)
            client.open()
            let response = client.request(.request(changes: ["grpc-timeout": "0m"]), body: framed("x"))
            client.finish(response)
            expect(.deadlineExceeded, response.headers)
        }
    }

    @Test("a header list over the limit is refused")
    func refusesLargeHeaders() async throws {
        let many = String(repeating: "a", count: 20_000)
        expect(.resourceExhausted, try await answer(.request(changes: ["x-much": many]), framed("x")))
    }

    @Test("more bytes of requests than a connection may hold are refused")
    func refusesFullBuffers() async throws {
        let headers = try await answer(
            .request(), framed(String(repeating: "x", count: 50_000)),
            configure: { $0.maxBufferedRequestBytes = 10_000 })
        expect(.resourceExhausted, headers)
    }

    @Test("a request that never ends is ended")
    func endsSlowRequests() async throws {
        try await withServer([.echo], configure: { $0.requestTimeout = .milliseconds(50) }) { _, path in
            let client = try RawClient(path)
            client.open()
            // However long the caller gives the call itself.
            for changes: [String: String?] in [[:], ["grpc-timeout": "1H"]] {
                let response = client.request(
                    .request(changes: changes), body: Array(framed("text").prefix(7)), end: false)
                client.finish(response)
                expect(.deadlineExceeded, response.headers)
            }
        }
    }

    @Test("garbage ends its own connection and no other")
    func survivesGarbage() async throws {
        try await withServer([.echo]) { channel, path in
            for garbage in [Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), Array(repeating: 0xFF, count: 100_000)] {
                let client = try RawClient(path)
                client.write(garbage)
                while !client.isClosed { _ = client.read() }
                let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
                #expect(response.service == "still")
            }
            // The preface is right, what follows is not.
            let client = try RawClient(path)
            client.write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Array(repeating: 0xAB, count: 5000))
            while !client.isClosed { _ = client.read() }
            let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
            #expect(response.service == "still")
        }
    }

    @Test("a connection that says nothing is closed")
    func closesSilentConnections() async throws {
        try await withServer([.echo], configure: { $0.handshakeTimeout = .milliseconds(50) }) { _, path in
            let client = try RawClient(path)
            while !client.isClosed { _ = client.read() }
            #expect(client.isClosed)
        }
    }

    @Test("streams opened and reset as fast as can be end the connection, not the server")
    func endsRapidReset() async throws {
        try await withServer([.echo], configure: { $0.maxResetsPerSecond = 10 }) { channel, path in
            let client = try RawClient(path)
            client.open()
            for _ in 0..<400 {
                let response = client.request(.request(), body: Array(framed("x").prefix(3)), end: false)
                client.reset(response)
            }
            while !client.isClosed { client.receive() }
            let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
            #expect(response.service == "still")
        }
    }

    @Test("pings without end are cut off")
    func endsPingFloods() async throws {
        try await withServer([.echo], configure: { $0.maxControlFramesPerSecond = 10 }) { channel, path in
            let client = try RawClient(path)
            client.open()
            client.flush()
            let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
            for _ in 0..<1000 { client.write(ping) }
            while !client.isClosed { _ = client.read() }
            let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
            #expect(response.service == "still")
        }
    }

    /// HTTP/2's preface with settings that say nothing.
    private let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
    /// ":method POST", ":scheme http", ":path /" and an authority, in HPACK.
    private let headerBlock: [UInt8] = [0x83, 0x86, 0x84, 0x41, 1, 0x78]

    /// Whether the server ends the connection while frames are sent on it, a hundred thousand at most.
    private func isCutOff(_ client: RawClient, sending frame: (UInt32) -> [UInt8]) -> Bool {
        (0..<100_000).contains { number in
            frame(number).withUnsafeBytes { send(client.socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) } < 0
        }
    }

    @Test("a header block that unpacks to thousands of times its size ends the connection")
    func endsHeaderBombs() async throws {
        // So many that the frames which find out about the end are not what ends it.
        try await withServer([.echo], configure: { $0.maxControlFramesPerSecond = 100_000 }) { channel, path in
            let client = try RawClient(path)
            // "x-a" with 3900 bytes goes into the table, and is then named by one byte again and again.
            let large = [0x40, 3] + Array("x-a".utf8) + [0x7F, 0xBD, 0x1D] + Array(repeating: 0x61, count: 3900)
            let block = headerBlock + large + Array(repeating: 0xBE, count: 12_000)
            let count = UInt16(block.count)
            client.write(preface + [0, UInt8(count >> 8), UInt8(count & 0xFF), 1, 5, 0, 0, 0, 1] + block)
            #expect(isCutOff(client) { _ in [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1] })
            let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
            #expect(response.service == "still")
        }
    }

    @Test("streams that are refused while nobody reads the refusals end the connection")
    func endsRefusalFloods() async throws {
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxConcurrentStreams = 10
            configuration.maxQueuedFrames = 100
        }
        try await withServer([.echo], configure: configure) { channel, path in
            let client = try RawClient(path)
            // The server's settings are never acknowledged: until they are, nghttp2 refuses each stream over the limit
            // by itself.
            client.write(preface)
            let isCut = isCutOff(client) { number in
                [0, 0, 6, 1, 4] + withUnsafeBytes(of: (number * 2 + 1).bigEndian) { Array($0) } + headerBlock
            }
            #expect(isCut)
            let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
            #expect(response.service == "still")
        }
    }

    @Test("a caller that is gone before its long answers are written takes nothing down with it")
    func survivesVanishedCaller() async throws {
        let hasBegun = Flag()
        let isGone = Flag()
        let large = Text(service: String(repeating: "x", count: 400_000))
        let handler = MethodHandler.unary(.echo) { (request: Text, _) in
            guard request.service == "large" else { return request }
            // The event loop waits, so that it hears of the caller's end only when it writes.
            hasBegun.raise()
            isGone.wait()
            return large
        }
        try await withServer([handler]) { channel, path in
            var client: RawClient? = try RawClient(path)
            client?.open(window: 1024 * 1024)
            for _ in 0..<4 { _ = client?.request(.request(), body: framed("large")) }
            hasBegun.wait()
            client = nil
            isGone.raise()
            let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
            #expect(response.service == "still")
        }
    }

    @Test("a response that nobody reads is let go")
    func resetsUnreadResponses() async throws {
        try await withServer([.echo], configure: { $0.unreadResponseTimeout = .milliseconds(50) }) { _, path in
            let client = try RawClient(path)
            client.open(window: 100)
            let response = client.request(.request(), body: framed(String(repeating: "x", count: 1000)))
            client.finish(response)
            #expect(response.resetCode == 8)
        }
    }

    @Test("one that is read slowly, but read, is not")
    func keepsSlowlyReadResponses() async throws {
        let text = String(repeating: "x", count: 40_000)
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.unreadResponseTimeout = .seconds(2)
        }
        try await withRawClient([.echo], configure: configure, window: 4000) { client in
            let response = client.request(.request(), body: framed(text))
            // Ten windows, so that it takes several times as long.
            while !response.isOver, !client.isClosed {
                try await client.wait { response.isOver || response.body.count > response.consumed }
                try await Task.sleep(for: .milliseconds(600))
                client.consume(response, response.body.count - response.consumed)
                response.consumed = response.body.count
            }
            expect(nil, response.headers)
            #expect(response.messages.map(\.service) == [text])
        }
    }

    @Test("more connections than allowed are closed, and there is room again when one goes")
    func boundsConnections() async throws {
        try await withServer([.echo], configure: { $0.maxConnections = 1 }) { channel, path in
            var client: RawClient? = try RawClient(path)
            client?.open()
            client?.flush()
            client?.receive()
            let refused = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(refused?.code == .unavailable)
            client = nil
            let options = CallOptions(timeout: .seconds(20), waitForReady: true)
            let response: Text = try await channel.unary(.echo, Text(service: "in"), options: options)
            #expect(response.service == "in")
        }
    }
}

/// Raised once, and waited for by a thread that is to do nothing else.
private final class Flag: Sendable {
    private let isRaised = Atomic(false)

    func raise() { isRaised.store(true, ordering: .releasing) }

    func wait() {
        while !isRaised.load(ordering: .acquiring) { sched_yield() }
    }
}
