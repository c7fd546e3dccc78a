import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Callers that go", .timeLimit(.minutes(1)))
struct LeavingTests {
    @Test(
        "a caller that goes after its GOAWAY is no fault, whichever last stream that names; one that finds fault is",
        arguments: [(0, UInt32(0)), (1, 0), (3, 0), (0x7FFF_FFFF, 0), (2, 0), (1, 2)])
    func takesLeave(last: Int, code: UInt32) async throws {
        let gate = Gate()
        let ended = Shared(false)
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, _: ResponseWriter<Text>, _) in
            defer { ended.update { $0 = true } }
            try await gate.wait()
        }
        try await withTemporaryFolder { folder in
            let server = makeServer(folder + "/s", [handler])
            try await server.start()
            var client: RawClient? = try RawClient(folder + "/s")
            client?.open()
            _ = client?.request(.request(MethodDescriptor.count.path), body: framed("x"))
            try await eventually("the handler waits") { gate.waiting == 1 }
            client?.write(Frame.goAway(last: last, code: code, "client transport shutdown").bytes)
            client = nil
            try await eventually("the connection is gone") { server.statistics.openConnections == 0 }
            try await eventually("its handler is cancelled") { ended.value }
            #expect(server.statistics.protocolErrors == (code == 0 ? 0 : 1))
            #expect(server.statistics.floods == 0)
            #expect(server.statistics.streamErrors == 0)
            await server.shutDown()
        }
    }
}
