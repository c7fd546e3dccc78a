import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Metadata at the client", .timeLimit(.minutes(1)))
struct ResponseMetadataTests {
    private static let initial = [("x-first", "1"), ("x-first", "2"), ("x-bytes-bin", "AP8=")]
    private static let trailing = [("x-last", "end"), ("x-bytes-bin", "AP8"), ("grpc-reserved", "no")]

    /// Answers with metadata before and after one message.
    @Sendable
    private static func answers(_ frame: Frame, _ connection: FrameServer.Connection) {
        guard frame.endsStream else { return }
        connection.send(
            .responseHeaders(frame.stream, initial), .data(frame.stream, framed("here")),
            .trailers(frame.stream, 0, trailing))
    }

    private func check(_ metadata: ResponseMetadata) {
        #expect(metadata.initial?.values("x-first") == ["1", "2"])
        #expect(metadata.initial?[firstBinary: "x-bytes-bin"] == [0, 255])
        #expect(metadata.initial?.count == 3)
        #expect(metadata.trailing?[first: "x-last"] == "end")
        #expect(metadata.trailing?[firstBinary: "x-bytes-bin"] == [0, 255])
        #expect(metadata.trailing?.count == 2)
        #expect(!metadata.wasCompressed)
    }

    @Test("every kind of call hands out what came before and after the messages")
    func comesWithEveryKind() async throws {
        try await withFrameServer(Self.answers) { channel, _ in
            var options = CallOptions()
            let unary = ResponseMetadata()
            options.responseMetadata = unary
            #expect(unary.initial == nil && unary.trailing == nil)
            let _: Text = try await channel.unary(.echo, Text(), options: options)
            check(unary)

            let streaming = ResponseMetadata()
            options.responseMetadata = streaming
            for try await _ in channel.serverStreaming(.count, Text(), options: options, as: Text.self) {}
            check(streaming)

            let gathering = ResponseMetadata()
            options.responseMetadata = gathering
            let call: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(.gathering, options: options)
            _ = try await call.response()
            check(gathering)

            let talking = ResponseMetadata()
            options.responseMetadata = talking
            let talk: BidirectionalCall<Text, Text> = try await channel.bidirectional(.talking, options: options)
            talk.finish()
            for try await _ in talk.responses {}
            check(talking)
        }
    }

    @Test(
        "spaces and tabs around metadata are taken off, and what metadata can't have is left out, with every outcome",
        arguments: [0, 5])
    func toleratesOddMetadata(code: Int) async throws {
        let odd = [
            ("x-spaced", " a b "), ("x-tabbed", "\ta\t"), ("x-inner", "a\tb"), ("x-high", "\u{e5}"),
            ("x-high", " \u{ff}"),
            ("x-control", "a\u{1}\u{7f}"), ("x!y", "1"), ("x-blank", "  "),
        ]
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(
                .responseHeaders(frame.stream, odd), .data(frame.stream, framed("here")),
                .trailers(frame.stream, code, odd))
        } _: { channel, _ in
            var options = CallOptions()
            let metadata = ResponseMetadata()
            options.responseMetadata = metadata
            let status = try await status {
                try await channel.unary(.echo, Text(), options: options, as: Text.self)
            }
            #expect(status?.code.rawValue ?? 0 == code)
            for block in [metadata.initial, metadata.trailing] {
                #expect(block?.pairs.map(\.name) == ["x-spaced", "x-tabbed", "x-blank"])
                #expect(block?.pairs.map(\.value) == ["a b", "a", ""])
            }
        }
    }

    @Test(
        "a message is kept as it came, spaces, tabs and all",
        arguments: [" spaced ", "\ttabbed\t", "in\tner", " ", "\u{e5}", "a\u{1}b\u{7f}", "%20%", ""])
    func keepsMessages(message: String) async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(
                frame.stream == 1
                    ? .trailersOnly(1, 5, [("grpc-message", message)])
                    : .headers(
                        3,
                        [
                            (":status", "200"), ("content-type", " application/grpc "), ("grpc-status", " 5\t"),
                            ("grpc-message", message),
                        ], end: true))
        } _: { channel, _ in
            for _ in 0..<2 {
                let status = try await status {
                    try await channel.unary(.echo, Text(), options: .init(), as: Text.self)
                }
                #expect(status == RPCError(.notFound, message == "%20%" ? " %" : message))
            }
        }
    }

    @Test("a value that breaks HTTP/2's framing of fields is no response", arguments: ["a\0", "a\r", "\nb"])
    func refusesBrokenFields(value: String) async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(.trailersOnly(frame.stream, 5, [("grpc-message", value)]))
        } _: { channel, _ in
            let status = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(status?.code == .internal)
        }
    }

    @Test("a call that fails hands it out too, and a status alone has trailers alone")
    func comesWithErrors() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            if frame.stream == 1 {
                connection.send(.responseHeaders(1, Self.initial), .trailers(1, 5, Self.trailing))
            } else {
                connection.send(.trailersOnly(frame.stream, 5, Self.trailing))
            }
        } _: { channel, _ in
            var options = CallOptions()
            let whole = ResponseMetadata()
            options.responseMetadata = whole
            expectEqual(
                try await status { try await channel.unary(.echo, Text(), options: options, as: Text.self) }?.code,
                .notFound)
            check(whole)
            let alone = ResponseMetadata()
            options.responseMetadata = alone
            expectEqual(
                try await status { try await channel.unary(.echo, Text(), options: options, as: Text.self) }?.code,
                .notFound)
            #expect(alone.initial == nil)
            #expect(alone.trailing?.pairs.map(\.name) == ["x-last", "x-bytes-bin"])
        }
    }

    @Test("informational responses are passed over, though not without end")
    func skipsInformational() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            let count = frame.stream == 1 ? 16 : 17
            for _ in 0..<count { connection.send(.headers(frame.stream, [(":status", "103"), ("x-first", "early")])) }
            if frame.stream == 1 { Self.answers(frame, connection) }
        } _: { channel, server in
            var options = CallOptions()
            let metadata = ResponseMetadata()
            options.responseMetadata = metadata
            let _: Text = try await channel.unary(.echo, Text(), options: options)
            check(metadata)
            expectEqual(
                try await status { try await channel.unary(.echo, Text(), options: options, as: Text.self) }?.code,
                .internal)
            try await eventually("the stream is reset") { server.count(.reset) == 1 }
        }
    }

    @Test("what a caller can't send is left out, and the rest sent as it is, twice where it is there twice")
    func leavesReservedNamesOut() async throws {
        try await withFrameServer(Self.answers) { channel, server in
            var metadata: Metadata = [
                "grpc-timeout": "1n", "grpc-encoding": "gzip", "grpc-status": "0", ":path": "/other", "te": "gzip",
                "content-type": "text/plain", "connection": "close", "transfer-encoding": "chunked", "host": "other",
                "two words": "x", "": "x", "x-ünïcode": "x", "X-Kept": "1", "x-kept": "2", "telephone": "kept",
                "gr.pc_1": "kept", "authorization": "Bearer x",
            ]
            metadata.addBinary("x-raw", [1, 2, 3, 4])
            let _: Text = try await channel.unary(.echo, Text(), options: CallOptions(metadata: metadata))
            let request = try #require(server.requests.value.first)
            let own: Set = [
                ":method", ":scheme", ":authority", ":path", "te", "content-type", "grpc-accept-encoding",
            ]
            let sent = request.pairs.filter { !own.contains($0.name) }.map { "\($0.name): \($0.value)" }
            #expect(
                sent == [
                    "x-kept: 1", "x-kept: 2", "telephone: kept", "gr.pc_1: kept", "authorization: Bearer x",
                    "x-raw-bin: AQIDBA",
                ])
            #expect(request.values(":path") == [MethodDescriptor.echo.path])
            #expect(request.values("te") == ["trailers"])
            #expect(request.values("content-type") == ["application/grpc"])
            #expect(request.values("grpc-accept-encoding") == ["identity,gzip"])
        }
    }

    @Test("metadata longer than the limit fails the call; far longer ends the connection")
    func boundsMetadata() async throws {
        let long = String(repeating: "x", count: 12_000)
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            if frame.stream == 1 {
                // 72 KB over several frames: the first ends no header block.
                var frames: [Frame] = [.headers(1, [(":status", "200"), ("content-type", "application/grpc")])]
                for _ in 0..<6 { frames.append(.headers(1, [("x-long", long)])) }
                for index in frames.indices {
                    if index > 0 { frames[index].type = Frame.Kind.continuation.rawValue }
                    frames[index].flags = index == frames.count - 1 ? Frame.endOfHeaders : 0
                }
                connection.send(frames)
            } else {
                Self.answers(frame, connection)
            }
        } _: { channel, server in
            let status = try await status {
                try await channel.unary(.echo, Text(), options: .init(), as: Text.self)
            }
            #expect(status?.reason == "METADATA_TOO_LARGE")
            #expect(status?.code == .resourceExhausted)
            let _: Text = try await channel.unary(.echo, Text(), options: .init())
            #expect(server.accepted.value == 1)
        }
    }
}
