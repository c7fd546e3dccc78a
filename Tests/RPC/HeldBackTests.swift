import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Calls that wait for room for their responses", .timeLimit(.minutes(1)))
struct HeldBackTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private func request(_ stream: Int) -> [UInt8] {
        Frame.headers(stream, Metadata.request().pairs.map { ($0.name, $0.value) }).bytes
            + Frame.data(stream, framed("x"), end: true).bytes
    }

    @Test("are started as soon as there is room, though nothing more comes from their caller")
    func start() async throws {
        let started = Shared(0)
        let text = Text(service: String(repeating: "x", count: 100_000))
        let handler = MethodHandler.unary(.echo) { (_: Text, _) in
            started.update { $0 += 1 }
            return text
        }
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxBufferedConnectionResponseBytes = 950_000
        }
        try await withServer([handler], configure: configure) { _, path in
            let client = try RawClient(path)
            // Windows of a thousand bytes, and no limit for the connection.
            client.write(Self.preface + Frame.settings([(4, 1000)]).bytes + Frame.windowUpdate(0, 10_000_000).bytes)
            for number in 0..<10 { client.write(request(number * 2 + 1)) }
            try await eventually("ten answer") { started.value == 10 }
            // One more waits. Then one response goes out, and the others still hold most of the limit.
            client.write(request(21) + Frame.windowUpdate(1, 100_000).bytes)
            try await eventually("the eleventh is started") { started.value == 11 }
        }
    }

    @Test("Don't keep a writer waiting for ever that has nothing on its way, though there are always more of them")
    func leaveRoomForWriters() async throws {
        let (calls, writer) = (Gate(), Gate())
        let (answered, isWriting) = (Shared(0), Shared(false))
        let text = Text(service: String(repeating: "x", count: 300_000))
        let unary = MethodHandler.unary(.echo) { (_: Text, _) in
            if answered.value == 0 { try await calls.wait() }
            answered.update { $0 += 1 }
            return text
        }
        let streaming = MethodHandler.serverStreaming(.count) { (_: Text, responses: ResponseWriter<Text>, _) in
            try await writer.wait()
            isWriting.update { $0 = true }
            try await responses.send(Text(service: "written"))
        }
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxBufferedConnectionResponseBytes = 1_000_000
        }
        try await withRawClient([unary, streaming], configure: configure, window: 10_000) { client in
            let stream = client.request(.request(MethodDescriptor.count.path), body: framed(""))
            // Together twice the limit, also without what the windows let out: the writer has to wait.
            let first = (0..<7).map { _ in client.request(.request(), body: framed("x")) }
            try await eventually("all wait") { calls.waiting == 7 && writer.waiting == 1 }
            calls.open()
            try await eventually("seven answer") { answered.value == 7 }
            writer.open()
            try await eventually("the writer writes") { isWriting.value }
            // They take the room as soon as there is any, and are more than there will be room for.
            let more = (0..<7).map { _ in client.request(.request(), body: framed("x")) }
            for response in first[..<5] { try await client.read(response) }
            #expect(answered.value > 7)
            try await client.wait { !stream.messages.isEmpty }
            #expect(stream.messages.map(\.service) == ["written"])
            #expect(answered.value < first.count + more.count)
        }
    }
}
