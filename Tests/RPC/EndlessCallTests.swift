import RPC
import Testing

@Suite("Calls without an end, when the server stops", .timeLimit(.minutes(1)))
struct EndlessCallTests {
    private static let resume = RPCError(.outOfRange, "resume", reason: "RESUME")

    /// A server that would wait for its calls for longer than a test may take.
    private func withPatientServer(
        _ handlers: [MethodHandler], _ body: (RPCServer, RPCChannel) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let server = makeServer(folder + "/s.sock", handlers, configure: { $0.drainTimeout = .seconds(50) })
            try await server.start()
            let channel = makeChannel(folder + "/s.sock")
            try await body(server, channel)
            await channel.close()
            await server.shutDown()
        }
    }

    @Test("they end at once with the status that was given for it; others come to their own end")
    func endAtOnce() async throws {
        let (endless, finite) = (Gate(), Gate())
        let feed = MethodHandler.serverStreaming(.count) { (request: Text, writer: ResponseWriter<Text>, _) in
            try await writer.send(request)
            try await endless.wait()
        }
        let echo = MethodHandler.unary(.echo) { (request: Text, _) in
            try await finite.wait()
            return request
        }
        try await withPatientServer([feed.endingAtShutdown(with: Self.resume), echo]) { server, channel in
            async let answer: Text = channel.unary(.echo, Text(service: "last"), options: .init())
            let events: ResponseStream<Text> = channel.serverStreaming(
                .count, Text(service: "first"), options: .init())
            var reader = events.makeAsyncIterator()
            expectEqual(try await reader.next()?.service, "first")
            try await eventually("both handlers wait") { endless.waiting == 1 && finite.waiting == 1 }
            async let stopped: Void = server.shutDown()
            let end = try await status { try await reader.next() }
            #expect(end == Self.resume)
            try await eventually("the handler is cancelled") { endless.waiting == 0 }
            #expect(finite.waiting == 1)
            finite.open()
            #expect(try await answer.service == "last")
            await stopped
        }
    }

    @Test("one whose caller reads nothing holds nobody up")
    func unread() async throws {
        let sent = Shared(0)
        let text = String(repeating: "x", count: 10_000)
        let feed = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            while true {
                try await writer.send(Text(service: text))
                sent.update { $0 += 1 }
            }
        }
        try await withPatientServer([feed.endingAtShutdown(with: Self.resume)]) { server, channel in
            let events: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var reader = events.makeAsyncIterator()
            expectEqual(try await reader.next()?.service, text)
            try await eventually("the window is full") { sent.value * text.utf8.count > 256 * 1024 }
            let began = ContinuousClock.now
            await server.shutDown()
            #expect(ContinuousClock.now - began < .seconds(30))
            _ = try await reader.next()
        }
    }

    @Test("a stream of reflection that is left open ends, and holds nobody up")
    func reflection() async throws {
        let service = ReflectionService(files: [], services: ["test.Service"])
        try await withPatientServer(service.handlers) { server, channel in
            let call = try await ReflectionV1.ServerReflectionClient(channel: channel).serverReflectionInfo()
            try await call.send(.init(messageRequest: .listServices("")))
            var answers = call.responses.makeAsyncIterator()
            _ = try #require(try await answers.next())
            let began = ContinuousClock.now
            await server.shutDown()
            #expect(ContinuousClock.now - began < .seconds(30))
            let end = try await status { try await answers.next() }
            #expect(end?.code == .unavailable)
        }
    }
}
