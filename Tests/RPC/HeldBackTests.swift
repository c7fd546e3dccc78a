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
}
