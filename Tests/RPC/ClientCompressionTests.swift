import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Compression at the client", .timeLimit(.minutes(1)))
struct ClientCompressionTests {
    private static let long = Text(service: String(repeating: "long ", count: 2000))

    private static func compressed(_ message: Text) -> [UInt8] {
        Array(MessageFraming.compressed(MessageFraming.framed(message)).readableBytesView)
    }

    /// Answers in gzip.
    @Sendable
    private static func answersCompressed(_ frame: Frame, _ connection: FrameServer.Connection) {
        guard frame.endsStream else { return }
        connection.send(
            .responseHeaders(frame.stream, [("grpc-encoding", "gzip")]),
            .data(frame.stream, compressed(long)), .trailers(frame.stream))
    }

    @Test("requests are compressed where the options say so and it makes them shorter, and responses understood")
    func compressesRequests() async throws {
        try await withFrameServer(Self.answersCompressed) { channel, server in
            var options = CallOptions()
            options.compression = .gzip
            let metadata = ResponseMetadata()
            options.responseMetadata = metadata
            for (message, stream) in [(Self.long, 1), (Text(service: "short"), 3)] {
                let response: Text = try await channel.unary(.echo, message, options: options)
                #expect(response == Self.long)
                #expect(server.body(of: stream) == Self.compressed(message))
                #expect(metadata.wasCompressed && metadata.compressedMessages == 1)
            }
            #expect(server.body(of: 1)[0] == 1 && server.body(of: 1).count < 200)
            #expect(server.body(of: 3)[0] == 0)
            let _: Text = try await channel.unary(.echo, Self.long, options: .init())
            #expect(server.body(of: 5)[0] == 0)
            #expect(server.requests.value.map { $0[first: "grpc-encoding"] } == ["gzip", "gzip", nil])
        }
    }

    @Test("each request of a stream may be compressed or not")
    func choosesForEachMessage() async throws {
        try await withFrameServer(Self.answersCompressed) { channel, server in
            var options = CallOptions()
            options.compression = .gzip
            let call: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(.gathering, options: options)
            try await call.send(Self.long)
            call.setCompression(false)
            try await call.send(Self.long)
            call.setCompression(true)
            try await call.send(Self.long)
            #expect(try await call.response() == Self.long)
            let plain = Array(MessageFraming.framed(Self.long).readableBytesView)
            #expect(server.body(of: 1) == Self.compressed(Self.long) + plain + Self.compressed(Self.long))

            let plainCall: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(
                .gathering, options: .init())
            plainCall.setCompression(true)
            try await plainCall.send(Self.long)
            _ = try await plainCall.response()
            #expect(server.body(of: 3) == plain)
        }
    }

    @Test("responses of a stream are inflated one by one as they are read")
    func inflatesStreams() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            let one = Self.compressed(Self.long)
            connection.send(
                .responseHeaders(1, [("grpc-encoding", "gzip")]), .data(1, one + framed("plain") + one), .trailers(1))
        } _: { channel, _ in
            var options = CallOptions()
            let metadata = ResponseMetadata()
            options.responseMetadata = metadata
            var received: [Text] = []
            for try await next in channel.serverStreaming(.count, Text(), options: options, as: Text.self) {
                received.append(next)
            }
            #expect(received == [Self.long, Text(service: "plain"), Self.long])
            #expect(metadata.compressedMessages == 2)
        }
    }

    private static let malformed: [UInt8] = [1, 0, 0, 0, 4, 1, 2, 3, 4]

    @Test(
        "a response that is marked as compressed must be what it says, and no longer than the limit inflated",
        arguments: [
            ([("grpc-encoding", "gzip")], malformed, "response: not in the gzip format it says it has"),
            ([("grpc-encoding", "gzip")], compressed(long), "response: longer than 1000 bytes"),
            ([], compressed(long), "response: marked as compressed without an encoding"),
            ([("grpc-encoding", "br")], compressed(long), "response: in an encoding that was not asked for"),
        ])
    func refusesBadEncodings(headers: [(String, String)], body: [UInt8], message: String) async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(
                .responseHeaders(frame.stream, headers), .data(frame.stream, body), .trailers(frame.stream))
        } _: { channel, _ in
            var options = CallOptions()
            options.maxResponseBytes = 1000
            let unary = try await status {
                try await channel.unary(.echo, Text(), options: options, as: Text.self)
            }
            #expect(unary?.message == message)
            let streaming = try await status {
                for try await _ in channel.serverStreaming(.count, Text(), options: options, as: Text.self) {}
            }
            #expect(streaming?.message == message)
        }
    }

    @Test("a bomb of gzip is never unpacked beyond the limit")
    func bounds() async throws {
        // 64 MiB of zeros are 64 KiB in gzip: within every limit as they come.
        let bomb = ByteBuffer(repeating: 0, count: 64 * 1024 * 1024 + 5)
        let framed = Array(MessageFraming.compressed(bomb).readableBytesView)
        #expect(framed.count < 400_000)
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(.responseHeaders(frame.stream, [("grpc-encoding", "gzip")]))
            for start in stride(from: 0, to: framed.count, by: 16_384) {
                connection.send(.data(frame.stream, Array(framed[start..<min(start + 16_384, framed.count)])))
            }
            connection.send(.trailers(frame.stream))
        } _: { channel, _ in
            let status = try await status {
                try await channel.unary(.echo, Text(), options: .init(), as: Text.self)
            }
            #expect(status?.reason == "MESSAGE_TOO_LARGE")
        }
    }

    @Test("the limit of a response is the call's, else the method's, else the channel's")
    func choosesLimit() {
        let limits = ClientLimits()
        var options = CallOptions()
        #expect(options.responseLimit(.echo, limits) == limits.maxResponseBytes)
        let method = MethodDescriptor(
            service: "test.Service", method: "Small", kind: .unary, idempotent: true, maxRequestBytes: 10,
            maxResponseBytes: 20, defaultDeadline: nil)
        #expect(options.responseLimit(method, limits) == 20)
        options.maxResponseBytes = 30
        #expect(options.responseLimit(method, limits) == 30)
    }
}
