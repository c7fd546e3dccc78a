import NIOCore
import ProtobufC
import Testing

@testable import RPC

extension MethodDescriptor {
    static let gathering = MethodDescriptor.test("Gathering", .clientStreaming)
    static let talking = MethodDescriptor.test("Talking", .bidirectional)
}

/// Answers with all that was said, once the caller has said its last.
@Sendable
private func collects(_ frame: Frame, _ connection: FrameServer.Connection) {
    if frame.endsStream { connection.send(Frame.answer(frame.stream, "all")) }
}

@Suite("Client streaming, the client's side", .timeLimit(.minutes(1)))
struct ClientStreamingTests {
    private func call(_ channel: RPCChannel, _ options: CallOptions = .init()) async throws -> ClientStreamingCall<
        Text, Text
    > {
        try await channel.clientStreaming(.gathering, options: options)
    }

    @Test("requests arrive in order, and the response after the last")
    func sendsInOrder() async throws {
        try await withFrameServer(collects) { channel, server in
            let call = try await call(channel)
            for number in 0..<1000 { try await call.send(Text(service: String(number))) }
            #expect(try await call.response().service == "all")
            let expected = (0..<1000).flatMap { framed(String($0)) }
            #expect(server.body(of: 1) == expected)
            #expect(server.count(.reset) == 0)
        }
    }

    @Test("a call without requests is ended by asking for its response")
    func sendsNone() async throws {
        try await withFrameServer(collects) { channel, server in
            let call = try await call(channel)
            #expect(try await call.response().service == "all")
            #expect(server.body(of: 1).isEmpty)
        }
    }

    @Test("the response is given out once")
    func givesResponseOnce() async throws {
        try await withFrameServer(collects) { channel, _ in
            let call = try await call(channel)
            _ = try await call.response()
            expectEqual(try await status { try await call.response() } == nil, false)
            expectEqual(try await status { try await call.send(Text()) }?.reason, "REQUESTS_FINISHED")
        }
    }

    @Test("a sender waits while the server takes nothing, with little in memory, and goes on when it does")
    func waitsForServer() async throws {
        let message = Text(service: String(repeating: "x", count: 10_000))
        let mayTake = Shared(false)
        try await withFrameServer { frame, connection in
            if frame.kind == .data, mayTake.value, !frame.payload.isEmpty {
                connection.send(.windowUpdate(0, frame.payload.count), .windowUpdate(frame.stream, frame.payload.count))
            }
            collects(frame, connection)
        } _: { channel, server in
            let call = try await call(channel)
            let sent = Shared(0)
            let sender = Task {
                for _ in 0..<100 {
                    try await call.send(message)
                    sent.update { $0 += 1 }
                }
                return try await call.response()
            }
            // HTTP/2 starts with a window of 64 KiB less one byte (RFC 9113, 6.9.2).
            try await eventually("the window is used up") { server.body(of: 1).count == 65_535 }
            // The window and the buffer, and the message that went over it.
            let bound = (64 + 64) * 1024 / 10_000 + 2
            #expect(sent.value <= bound)
            mayTake.update { $0 = true }
            try await server.push(.windowUpdate(0, 65_535), .windowUpdate(1, 65_535))
            #expect(try await sender.value.service == "all")
            #expect(sent.value == 100)
            #expect(server.body(of: 1).count == 100 * (message.serialized().count + 5))
        }
    }

    @Test("a sender whose call the server has ended gets the call's status, also while it waits")
    func throwsStatus() async throws {
        let received = Shared(0)
        try await withFrameServer { frame, connection in
            guard frame.kind == .data else { return }
            received.update { $0 += frame.payload.count }
            // All that the window lets in: by now the sender waits.
            if received.value == 65_535 { connection.send(.trailersOnly(1, 9, [("grpc-message", "full")])) }
        } _: { channel, server in
            let call = try await call(channel)
            let message = Text(service: String(repeating: "x", count: 50_000))
            let ended = try await status { while true { try await call.send(message) } }
            #expect(ended == RPCError(.failedPrecondition, "full"))
            expectEqual(try await status { try await call.response() }, RPCError(.failedPrecondition, "full"))
            try await eventually("the server is told that no more comes") { server.count(.reset) == 1 }
        }
    }

    @Test("a server that answers before the last request is heard, and the rest not sent")
    func answersEarly() async throws {
        try await withFrameServer { frame, connection in
            if frame.kind == .headers { connection.send(Frame.answer(frame.stream, "enough")) }
        } _: { channel, server in
            let call = try await call(channel)
            let ended = try await status { while true { try await call.send(Text(service: "more")) } }
            #expect(ended?.reason == "CALL_ANSWERED")
            #expect(try await call.response().service == "enough")
            try await eventually("the stream is reset") { server.count(.reset) == 1 }
        }
    }

    @Test("letting go of a call resets it")
    func cancelsWhenLetGo() async throws {
        try await withFrameServer { _, _ in
        } _: { channel, server in
            do {
                let call = try await call(channel)
                try await call.send(Text(service: "first"))
            }
            try await eventually("the stream is reset") {
                server.frames.value.contains { $0.kind == .reset && $0.payload == [0, 0, 0, 8] }
            }
        }
    }

    @Test("cancelling the task that waits for room, or for the response, resets the call")
    func cancelsWaitingTasks() async throws {
        try await withFrameServer { _, _ in
        } _: { channel, server in
            let message = Text(service: String(repeating: "x", count: 50_000))
            let sending = try await call(channel)
            let sender = Task { while true { try await sending.send(message) } }
            try await eventually("the window is used up") { server.body(of: 1).count == 65_535 }
            sender.cancel()
            expectEqual(try await status { try await sender.value }?.code, .cancelled)
            try await eventually("the first stream is reset") { server.count(.reset) == 1 }
            expectEqual(try await status { try await sending.response() }?.code, .cancelled)

            try await server.push(.windowUpdate(0, 1000))
            let waiting = try await call(channel)
            let waiter = Task { try await waiting.response() }
            try await eventually("the request is complete") {
                server.frames.value.contains { $0.stream == 3 && $0.endsStream }
            }
            waiter.cancel()
            expectEqual(try await status { try await waiter.value }?.code, .cancelled)
            try await eventually("the second stream is reset") { server.count(.reset) == 2 }
        }
    }

    @Test("the deadline ends a call that is still being sent")
    func endsAtDeadline() async throws {
        try await withFrameServer { _, _ in
        } _: { channel, server in
            let call = try await call(channel, CallOptions(timeout: .milliseconds(100)))
            let message = Text(service: String(repeating: "x", count: 50_000))
            expectEqual(
                try await status { while true { try await call.send(message) } }?.code, .deadlineExceeded)
            try await eventually("the stream is reset") { server.count(.reset) == 1 }
        }
    }

    @Test(
        "a response that is missing, doubled or cut short is an error",
        arguments: [
            ([], "response: no message"), (framed("a") + framed("b"), "response: more than one message"),
            ([0, 0, 0, 0, 9, 1], "response: cut short"),
        ])
    func checksResponse(body: [UInt8], message: String) async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(
                .responseHeaders(frame.stream), .data(frame.stream, body), .trailers(frame.stream))
        } _: { channel, _ in
            let call = try await call(channel)
            expectEqual(try await status { try await call.response() }?.message, message)
        }
    }
}
