import RPC
import Testing

@Suite("Metadata of requests at the client", .timeLimit(.minutes(1)))
struct RequestMetadataTests {
    private static func metadata(_ pairs: Int, of length: Int) -> Metadata {
        var metadata = Metadata()
        for _ in 0..<pairs { metadata.add("x-large", String(repeating: "a", count: length)) }
        return metadata
    }

    @Test(
        "more than HTTP/2 lets out in one block fails its call at once, whether it waits for the server or not",
        arguments: [(1, 70 * 1024), (2000, 1)], [false, true])
    func refusesLongMetadata(size: (pairs: Int, length: Int), waits: Bool) async throws {
        try await withFrameServer { frame, connection in
            if frame.endsStream { connection.send(Frame.answer(frame.stream, "here")) }
        } _: { channel, server in
            let options = CallOptions(
                metadata: Self.metadata(size.pairs, of: size.length), timeout: .seconds(5), waitForReady: waits)
            let unary = try await status { try await channel.unary(.echo, Text(), options: options, as: Text.self) }
            let streaming = try await status {
                for try await _ in channel.serverStreaming(.count, Text(), options: options, as: Text.self) {}
            }
            for status in [unary, streaming] {
                #expect(status?.code == .resourceExhausted)
                #expect(status?.reason == "METADATA_TOO_LARGE")
            }
            #expect(server.requests.value.isEmpty)
            let next: Text = try await channel.unary(.echo, Text(), options: .init(timeout: .seconds(5)))
            #expect(next.service == "here")
            #expect(server.accepted.value == 1)
        }
    }

    @Test("nearly as much is sent")
    func sendsLongMetadata() async throws {
        try await withFrameServer { frame, connection in
            if frame.endsStream { connection.send(Frame.answer(frame.stream, "here")) }
        } _: { channel, server in
            let options = CallOptions(metadata: Self.metadata(64, of: 960), timeout: .seconds(5))
            let _: Text = try await channel.unary(.echo, Text(), options: options)
            #expect(server.requests.value.first?.values("x-large").count == 64)
        }
    }
}
