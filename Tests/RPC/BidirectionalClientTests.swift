import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Bidirectional calls, the client's side", .timeLimit(.minutes(1)))
struct BidirectionalClientTests {
    /// Sends back every DATA frame as it came, and ends when the caller does.
    @Sendable
    private static func echoes(_ frame: Frame, _ connection: FrameServer.Connection) {
        switch frame.kind {
        case .headers: connection.send(.responseHeaders(frame.stream))
        case .data where !frame.payload.isEmpty: connection.send(.data(frame.stream, frame.payload))
        default: break
        }
        if frame.endsStream { connection.send(.trailers(frame.stream)) }
    }

    private func call(_ channel: RPCChannel, _ options: CallOptions = .init()) async throws -> BidirectionalCall<
        Text, Text
    > {
        try await channel.bidirectional(.talking, options: options)
    }

    @Test("each side speaks when it likes")
    func pingPong() async throws {
        try await withFrameServer(Self.echoes) { channel, server in
            let call = try await call(channel)
            var responses = call.responses.makeAsyncIterator()
            for number in 0..<200 {
                try await call.send(Text(service: String(number)))
                expectEqual(try await responses.next()?.service, String(number))
            }
            call.finish()
            call.finish()
            expectEqual(try await responses.next(), nil)
            #expect(server.count(.reset) == 0)
            expectEqual(try await status { try await call.send(Text()) }?.reason, "REQUESTS_FINISHED")
        }
    }

    @Test("a status after responses comes to the reader after them, and to the sender at once")
    func failsAfterResponses() async throws {
        try await withFrameServer { frame, connection in
            guard frame.kind == .data else { return }
            connection.send(
                .responseHeaders(1), .data(1, framed("one") + framed("two")), .trailers(1, 10))
        } _: { channel, _ in
            let call = try await call(channel)
            expectEqual(try await status { while true { try await call.send(Text()) } }?.code, .aborted)
            var responses = call.responses.makeAsyncIterator()
            expectEqual(try await responses.next()?.service, "one")
            expectEqual(try await responses.next()?.service, "two")
            expectEqual(try await status { try await responses.next() }?.code, .aborted)
        }
    }

    @Test("responses have one reader; a second is told so and disturbs nothing")
    func readsOnce() async throws {
        try await withFrameServer(Self.echoes) { channel, server in
            let call = try await call(channel)
            let reader = Task {
                var texts: [String] = []
                for try await response in call.responses { texts.append(response.service) }
                return texts
            }
            let second = Task {
                for try await _ in call.responses {}
            }
            // Whichever comes second is refused; the other reads on.
            let refusals = Shared(0)
            for number in 0..<3 { try await call.send(Text(service: String(number))) }
            call.finish()
            for result in [await reader.result.map { _ in }, await second.result] {
                if case .failure = result { refusals.update { $0 += 1 } }
            }
            #expect(refusals.value <= 1)
            #expect(server.count(.reset) == 0)
        }
    }

    @Test("the call goes on while its responses are held, and ends when both are let go of")
    func livesWithItsResponses() async throws {
        try await withFrameServer(Self.echoes) { channel, server in
            var responses: ResponseStream<Text>.AsyncIterator?
            do {
                let call = try await call(channel)
                responses = call.responses.makeAsyncIterator()
                try await call.send(Text(service: "still there"))
            }
            expectEqual(try await responses?.next()?.service, "still there")
            #expect(server.count(.reset) == 0)
            responses = nil
            try await eventually("the stream is reset") { server.count(.reset) == 1 }
        }
    }

    @Test("a reader that stops holds the server back while the sender goes on")
    func holdsServerBack() async throws {
        try await withFrameServer { frame, connection in
            if frame.kind == .headers {
                connection.send(.responseHeaders(1))
                for _ in 0..<20 { connection.send(.data(1, [UInt8](repeating: 0, count: 16_000))) }
            }
            if frame.kind == .windowUpdate, frame.stream == 1 { connection.send(.trailersOnly(1, 0)) }
        } _: { channel, server in
            let call = try await call(channel)
            try await call.send(Text(service: "on its way"))
            try await eventually("the request arrives") { server.body(of: 1) == framed("on its way") }
            _ = try await channel.bidirectional(.talking, options: .init(), sending: Text.self, receiving: Text.self)
            #expect(!server.frames.value.contains { $0.kind == .windowUpdate && $0.stream == 1 })
            withExtendedLifetime(call) {}
        }
    }

    @Test("a call the server can't have seen is made again with all that was said; one that said too much is not")
    func repeatsUnseenCalls() async throws {
        for size in [10, 50_000] {
            try await withFrameServer { frame, connection in
                // The first connection takes no calls at all.
                if connection.number > 0 { Self.echoes(frame, connection) }
            } _: { channel, server in
                let call = try await call(channel)
                let text = String(repeating: "x", count: size)
                for _ in 0..<3 { try await call.send(Text(service: text)) }
                try await server.push(.goAway(last: 0))
                call.finish()
                var count = 0
                let ended = try await status {
                    for try await response in call.responses {
                        #expect(response.service == text)
                        count += 1
                    }
                }
                if size == 10 {
                    #expect(ended == nil)
                    #expect(count == 3)
                    #expect(server.accepted.value == 2)
                } else {
                    #expect(ended?.code == .unavailable)
                    #expect(count == 0)
                    #expect(server.accepted.value == 1)
                }
            }
        }
    }

    @Test("cancel ends a call that is being read and one that is not")
    func cancels() async throws {
        try await withFrameServer(Self.echoes) { channel, server in
            let call = try await call(channel)
            try await call.send(Text(service: "one"))
            var responses = call.responses.makeAsyncIterator()
            expectEqual(try await responses.next()?.service, "one")
            let reader = Task {
                for try await _ in call.responses {}
            }
            call.cancel()
            call.cancel()
            expectEqual(try await status { try await reader.value }?.code, .cancelled)
            expectEqual(try await status { try await call.send(Text()) }?.code, .cancelled)
            try await eventually("the stream is reset") { server.count(.reset) == 1 }
        }
    }

    @Test("interceptors begin and end once around a call of either kind")
    func runsInterceptors() async throws {
        final class Watcher: ClientInterceptor {
            let log = Shared<[String]>([])
            func begin(_ method: MethodDescriptor, options: inout CallOptions) async throws(RPCError) {
                log.update { $0.append("begin \(method.method)") }
            }
            func end(_ method: MethodDescriptor, outcome: RPCError?) {
                log.update { $0.append("end \(method.method) \(outcome?.code.name ?? "OK")") }
            }
        }
        try await withTemporaryFolder { folder in
            let server = FrameServer(script: Self.echoes)
            try await server.start(folder + "/s.sock")
            let watcher = Watcher()
            let channel = makeChannel(folder + "/s.sock", interceptors: [watcher])
            let gathering: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(
                .gathering, options: .init())
            try await gathering.send(Text(service: "x"))
            _ = try await gathering.response()
            do {
                let chatting: BidirectionalCall<Text, Text> = try await channel.bidirectional(
                    .talking, options: .init())
                try await chatting.send(Text())
            }
            #expect(
                watcher.log.value == ["begin Gathering", "end Gathering OK", "begin Talking", "end Talking CANCELLED"])
            await channel.close()
            try await server.stop()
        }
    }
}
