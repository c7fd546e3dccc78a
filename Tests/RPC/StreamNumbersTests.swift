import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite("Numbers of streams", .timeLimit(.minutes(1)))
struct StreamNumbersTests {
    private static let last = Int(Int32.max)

    private func ask(_ channel: RPCChannel) async throws -> String {
        let response: Text = try await channel.unary(.test("Write"), Text(), options: .init(timeout: .seconds(20)))
        return response.service
    }

    @Test("a connection whose numbers are used up ends with its last call, and the next one has new ones")
    func usesUpNumbers() async throws {
        try await withFrameServer { frame, connection in
            if frame.endsStream, frame.stream != Self.last {
                connection.send(Frame.answer(frame.stream, "connection \(connection.number)"))
            }
        } _: { channel, server in
            expectEqual(try await ask(channel), "connection 0")
            guard case .ready(let connection) = channel.single.link.withLock({ $0.phase }) else {
                Issue.record("there is no connection")
                return
            }
            try await connection.eventLoop.submit { connection.session?.nextStreamID = Self.last }.get()
            async let lastCall = ask(channel)
            try await eventually("the last number is used") { server.requests.value.count == 2 }
            expectEqual(try await ask(channel), "connection 1")
            try await eventually("the server is told that there will be no more") { server.count(.goAway) == 1 }
            #expect(server.closed.value == 0)
            try await server.push(
                .responseHeaders(Self.last), .data(Self.last, framed("the last")), .trailers(Self.last))
            #expect(try await lastCall == "the last")
            try await eventually("the first connection is closed") { server.closed.value == 1 }
            expectEqual(try await ask(channel), "connection 1")
        }
    }
}
