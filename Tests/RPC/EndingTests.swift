import ProtobufC
import Testing

@testable import RPC

@Suite("Calls that are ended while responses are on their way", .timeLimit(.minutes(1)))
struct EndingTests {
    /// Sends for as long as anyone reads.
    private static let torrent = MethodHandler.serverStreaming(.count) {
        (_: Text, writer: ResponseWriter<Text>, _) in
        let text = Text(service: String(repeating: "x", count: 1000))
        while true { try await writer.send(text) }
    }

    /// A call whose deadline passes while its window is used up and as much waits as a stream may buffer.
    private func late(_ path: String) async throws -> (RawClient, RawResponse) {
        let client = try RawClient(path)
        client.open()
        let response = client.request(
            .request(MethodDescriptor.count.path, changes: ["grpc-timeout": "200m"]), body: framed("x"))
        try await client.wait { response.body.count >= 256 * 1024 }
        return (client, response)
    }

    @Test("a caller that goes on reading gets what was sent, and the status")
    func keepsStatus() async throws {
        try await withServer([EndingTests.torrent]) { _, path in
            let (client, response) = try await late(path)
            try await Task.sleep(for: .milliseconds(300))
            try await client.read(response)
            #expect(response.resetCode == nil || response.resetCode == 0)
            #expect(response.headers["grpc-status"] == "4")
            #expect(response.body.count > 256 * 1024)
        }
    }

    @Test("a caller that reads no more has its call reset")
    func resetsUnread() async throws {
        try await withServer([EndingTests.torrent]) { _, path in
            let (client, response) = try await late(path)
            try await client.wait(for: response)
            #expect(response.resetCode == HTTP2ErrorCode.cancel.rawValue)
        }
    }
}
