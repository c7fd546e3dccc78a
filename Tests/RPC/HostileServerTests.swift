import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Servers that misbehave", .timeLimit(.minutes(1)))
struct HostileServerTests {
    private static let writes = MethodDescriptor.test("Write")

    private static func status(_ channel: RPCChannel, _ method: MethodDescriptor = writes, timeout: Duration? = nil)
        async throws -> RPCError?
    {
        try await RPCTests.status {
            try await channel.unary(method, Text(), options: CallOptions(timeout: timeout), as: Text.self)
        }
    }

    private static func streamed(_ channel: RPCChannel) async throws -> (received: [String], ended: RPCError?) {
        var received: [String] = []
        let ended = try await RPCTests.status {
            for try await next in channel.serverStreaming(.count, Text(), options: .init(), as: Text.self) {
                received.append(next.service)
            }
        }
        return (received, ended)
    }

    /// Answers each call the same way, whatever its stream.
    private func withAnswers(
        _ answer: @escaping @Sendable (_ stream: Int) -> [Frame],
        _ body: (_ channel: RPCChannel, _ server: FrameServer) async throws -> Void
    ) async throws {
        try await withFrameServer(
            { frame, connection in
                if frame.endsStream { connection.send(answer(frame.stream)) }
            }, body)
    }

    @Test("a response without a status is UNKNOWN, whether there was a message or not")
    func missesTrailers() async throws {
        for frames in [[], [framed("one")]] as [[[UInt8]]] {
            try await withAnswers({ stream in
                [.responseHeaders(stream)] + frames.map { .data(stream, $0) } + [.data(stream, [], end: true)]
            }) { channel, _ in
                expectEqual(try await Self.status(channel)?.code, .unknown)
                let (received, ended) = try await Self.streamed(channel)
                #expect(received.count == frames.count)
                #expect(ended?.code == .unknown)
            }
        }
    }

    @Test("a status in the headers before messages is none")
    func saysStatusEarly() async throws {
        try await withAnswers({ stream in
            [
                .responseHeaders(stream, [("grpc-status", "0")]), .data(stream, framed("one")),
                .headers(stream, [("x-more", "1")], end: true),
            ]
        }) { channel, _ in
            expectEqual(try await Self.status(channel)?.code, .unknown)
        }
    }

    @Test("a status that is no number is UNKNOWN, and a message of any size or kind within the headers' is taken")
    func saysOddStatus() async throws {
        let long = String(repeating: "%E2%82%AC%", count: 800)
        try await withAnswers({ stream in
            [
                .headers(
                    stream,
                    [
                        (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "nine"),
                        ("grpc-message", long), ("grpc-status-details-bin", "!"),
                    ], end: true)
            ]
        }) { channel, _ in
            let status = try await Self.status(channel)
            #expect(status?.code == .unknown)
            #expect(status?.message == String(repeating: "€%", count: 800))
        }
    }

    @Test(
        "a response of another type or HTTP status is what HTTP's status stands for, and its body not kept",
        arguments: [
            ("200", "text/html", RPCError.Code.unknown), ("404", "text/html", .unimplemented),
            ("503", "application/grpc", .unavailable), ("200", "application/grpcx", .unknown),
            ("302", "text/html", .unknown), ("abc", "application/grpc", .unknown),
        ])
    func answersOtherwise(status: String, type: String, code: RPCError.Code) async throws {
        try await withAnswers({ stream in
            [.headers(stream, [(":status", status), ("content-type", type)])]
                + (0..<4).map { _ in .data(stream, [UInt8](repeating: 65, count: 16_000)) }
                + [.data(stream, [], end: true)]
        }) { channel, server in
            let found = try await Self.status(channel)?.code
            // A status that is no number is not HTTP/2: the stream is reset by HTTP/2's rules.
            #expect(found == code || status == "abc" && found == .internal)
            #expect(server.accepted.value == 1)
        }
    }

    @Test("what comes after the trailers changes nothing")
    func speaksAfterTrailers() async throws {
        try await withAnswers({ stream in
            Frame.answer(stream, "done") + [.data(stream, framed("more"), end: true), .trailersOnly(stream, 13)]
        }) { channel, _ in
            for _ in 0..<20 {
                let response: Text = try await channel.unary(.echo, Text(), options: .init())
                #expect(response.service == "done")
                let (received, ended) = try await Self.streamed(channel)
                #expect(received == ["done"])
                #expect(ended == nil)
            }
        }
    }

    @Test(
        "a stream that is reset midway ends with the status that stands for its code",
        arguments: [
            (UInt32(0), RPCError.Code.internal), (1, .internal), (7, .unavailable), (8, .cancelled),
            (0xb, .resourceExhausted), (0xc, .permissionDenied), (0xffff, .internal),
        ])
    func resetsMidway(code: UInt32, expected: RPCError.Code) async throws {
        try await withAnswers({ stream in
            [.responseHeaders(stream), .data(stream, framed("one")), .reset(stream, code)]
        }) { channel, server in
            let (received, ended) = try await Self.streamed(channel)
            #expect(received == ["one"])
            #expect(ended?.code == expected)
            expectEqual(try await Self.status(channel)?.code, expected)
            #expect(server.requests.value.count == 2)
        }
    }

    @Test("GOAWAY midway: calls the server has taken go on, those it hasn't are made elsewhere")
    func goesAwayMidway() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            if connection.number > 0 { return connection.send(Frame.answer(frame.stream, "second")) }
            switch frame.stream {
            case 1: connection.send(.responseHeaders(1), .data(1, framed("one")))
            case 3:
                connection.send(.goAway(last: 1))
                connection.send(.data(1, framed("two")), .trailers(1))
            default: break
            }
        } _: { channel, server in
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var iterator = stream.makeAsyncIterator()
            expectEqual(try await iterator.next()?.service, "one")
            let response: Text = try await channel.unary(Self.writes, Text(), options: .init())
            #expect(response.service == "second")
            expectEqual(try await iterator.next()?.service, "two")
            expectEqual(try await iterator.next(), nil)
            try await eventually("the first connection is closed") { server.closed.value == 1 }
        }
    }

    @Test("a response without end is let in no further than its reader reads, and disturbs no other call")
    func neverEnds() async throws {
        let sent = Shared(0)
        try await withFrameServer { frame, connection in
            if frame.endsStream, frame.stream > 1 { return connection.send(Frame.answer(frame.stream, "quick")) }
            let chunk = framed(String(repeating: "x", count: 8000))
            if frame.endsStream {
                connection.send(.responseHeaders(1))
                for _ in 0..<30 { connection.send(.data(1, chunk)) }
                sent.update { $0 = 30 * chunk.count }
            }
            // As fast as the window opens, for ever.
            if frame.kind == .windowUpdate, frame.stream == 1 {
                connection.send(.data(1, chunk))
                sent.update { $0 += chunk.count }
            }
        } _: { channel, _ in
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var iterator: ResponseStream<Text>.AsyncIterator? = stream.makeAsyncIterator()
            _ = try await iterator?.next()
            for _ in 0..<100 { let _: Text = try await channel.unary(.echo, Text(), options: .init()) }
            #expect(sent.value <= ClientLimits().streamWindow + 16_000)
            iterator = nil
        }
    }

    @Test("a unary call takes one message: a second ends it, and a window that is overrun the connection")
    func saysTooMuch() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(.responseHeaders(frame.stream))
            // A message that claims 4 GiB, then endless messages.
            let bytes: [UInt8] = frame.stream == 1 ? [0, 0xff, 0xff, 0xff, 0xff] : framed("a") + framed("b")
            connection.send(.data(frame.stream, bytes))
        } _: { channel, server in
            expectEqual(try await Self.status(channel)?.reason, "MESSAGE_TOO_LARGE")
            expectEqual(try await Self.status(channel)?.code, .unimplemented)
            try await eventually("both streams are reset") { server.count(.reset) == 2 }
            #expect(server.accepted.value == 1)
        }
    }

    @Test(
        "a flood of frames that belong to no call ends the connection, and with it the call",
        arguments: [
            [Frame.ping()], [Frame.settings([(3, 100)])], [Frame.make(.priority, stream: 1, [0, 0, 0, 0, 1])],
            [Frame.windowUpdate(0, 1)], [Frame(type: 0xee)], [Frame.data(1, [])],
        ])
    func floods(frames: [Frame]) async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            if connection.number > 0 { return connection.send(Frame.answer(frame.stream, "calm")) }
            connection.send(.responseHeaders(1))
            for _ in 0..<40 { connection.send(Array(repeating: frames, count: 100).flatMap { $0 }) }
        } _: { channel, server in
            expectEqual(try await Self.status(channel, timeout: .seconds(10))?.code, .unavailable)
            try await eventually("the connection is closed") { server.closed.value == 1 }
            let response: Text = try await channel.unary(.echo, Text(), options: .init())
            #expect(response.service == "calm")
        }
    }

    @Test("as many of them as a server may need do no harm")
    func toleratesSome() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(Array(repeating: Frame.ping(), count: 100))
            connection.send(Array(repeating: Frame.settings(), count: 20))
            connection.send(Array(repeating: Frame.windowUpdate(0, 10), count: 100))
            connection.send(Frame.answer(frame.stream, "calm"))
        } _: { channel, server in
            for _ in 0..<3 { let _: Text = try await channel.unary(.echo, Text(), options: .init()) }
            #expect(server.accepted.value == 1)
        }
    }

    @Test("a header block far over the limit ends the connection before it is read to its end")
    func bombsHeaders() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            // One pair of 4,000 bytes goes into the table; each further byte stands for it again.
            let name = Array("x-bomb".utf8)
            let value = [UInt8](repeating: 97, count: 4000)
            let literal: [UInt8] = [0x40, UInt8(name.count)] + name + [0x7f, 0xa1, 0x1e] + value
            let block = literal + [UInt8](repeating: 0xbe, count: 10_000)
            connection.send(.make(.headers, flags: Frame.endOfHeaders, stream: frame.stream, block))
        } _: { channel, server in
            expectEqual(try await Self.status(channel, timeout: .seconds(10))?.code, .unavailable)
            try await eventually("the connection is closed") { server.closed.value == 1 }
        }
    }

    @Test(
        "garbage and frames that are not allowed end the connection, and the call with it",
        arguments: [
            Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8), [UInt8](repeating: 0xff, count: 200),
            Frame.headers(2, [(":status", "200")]).bytes, Frame.data(9, [1, 2, 3]).bytes,
            Frame.make(.push, flags: Frame.endOfHeaders, stream: 1, [0, 0, 0, 2, 0x82]).bytes,
            Frame.windowUpdate(0, 0x7fff_ffff).bytes, Frame.make(.settings, stream: 1).bytes,
        ])
    func breaksTheProtocol(bytes: [UInt8]) async throws {
        try await withFrameServer { frame, connection in
            if frame.endsStream { connection.write(bytes) }
        } _: { channel, server in
            expectEqual(try await Self.status(channel, timeout: .seconds(10))?.code, .unavailable)
            try await eventually("the connection is closed") { server.closed.value == 1 }
        }
    }

    @Test("a refusal after a response has begun is no invitation to call again")
    func refusesTooLate() async throws {
        try await withAnswers({ stream in
            [.responseHeaders(stream), .data(stream, framed("one")), .reset(stream, 7)]
        }) { channel, server in
            let (received, ended) = try await Self.streamed(channel)
            #expect(received == ["one"])
            #expect(ended?.code == .unavailable)
            #expect(server.requests.value.count == 1)
        }
    }

    @Test(
        "a server that keeps refusing is not asked for ever, not by calls that wait for it either",
        arguments: [false, true])
    func refusesAlways(waits: Bool) async throws {
        try await withAnswers({ [.reset($0, 7)] }) { channel, server in
            let options = CallOptions(timeout: .seconds(5), waitForReady: waits)
            expectEqual(
                try await RPCTests.status {
                    try await channel.unary(Self.writes, Text(), options: options, as: Text.self)
                }?
                .code, .unavailable)
            #expect(server.requests.value.count == 2)
            expectEqual(
                try await RPCTests.status {
                    for try await _ in channel.serverStreaming(.count, Text(), options: options, as: Text.self) {}
                }?.code, .unavailable)
            #expect(server.requests.value.count == 4)
        }
    }

    @Test("nor one that refuses with every connection it gives up", arguments: [false, true])
    func goesAwayAlways(waits: Bool) async throws {
        try await withFrameServer { frame, connection in
            if frame.endsStream { connection.send(.goAway(last: 0)) }
        } _: { channel, server in
            let options = CallOptions(timeout: .seconds(5), waitForReady: waits)
            expectEqual(
                try await RPCTests.status {
                    try await channel.unary(Self.writes, Text(), options: options, as: Text.self)
                }?
                .code, .unavailable)
            #expect(server.requests.value.count == 2)
        }
    }

    @Test("a call that waits for a server that gives up each connection unused asks it less and less often")
    func goesAwayUnused() async throws {
        try await withTemporaryFolder { folder in
            let server = FrameServer(greets: false) { frame, connection in
                let isGreeting = frame.kind == .settings && frame.flags & Frame.acknowledgement == 0
                if isGreeting { connection.send(.settings(), .goAway(last: 0)) }
            }
            try await server.start(folder + "/s")
            let channel = makeChannel(folder + "/s")
            let options = CallOptions(timeout: .milliseconds(500), waitForReady: true)
            expectEqual(
                try await RPCTests.status { try await channel.unary(.echo, Text(), options: options, as: Text.self) }?
                    .code, .deadlineExceeded)
            // After 0, 50, 100, 200 and 400 milliseconds; a fifth less, perhaps.
            #expect((1...7).contains(server.accepted.value))
            #expect(server.requests.value.isEmpty)
            await channel.close()
            try await server.stop()
        }
    }
}
