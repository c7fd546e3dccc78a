import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Streams of requests from end to end", .timeLimit(.minutes(1)))
struct StreamedCallTests {
    private let long = Text(service: String(repeating: "x", count: 10_000))

    @Test("thousands of requests make one response")
    func gathers() async throws {
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            var sum = 0
            for try await request in requests { sum += Int(request.service) ?? 0 }
            return Text(service: String(sum))
        }
        try await withServer([handler]) { channel, _ in
            let call: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(.gather, options: .init())
            for number in 1...3000 { try await call.send(Text(service: String(number))) }
            let response = try await call.response()
            #expect(response.service == "4501500")
        }
    }

    @Test("both sides send and read at once, and lose nothing")
    func chats() async throws {
        try await withServer([.chat]) { channel, _ in
            let call: BidirectionalCall<Text, Text> = try await channel.bidirectional(.chat, options: .init())
            async let sent: Void = {
                for number in 0..<2000 { try await call.send(Text(service: String(number))) }
                call.finish()
            }()
            var received: [String] = []
            for try await response in call.responses { received.append(response.service) }
            try await sent
            #expect(received == ["hello"] + (0..<2000).map { String($0) })
        }
    }

    @Test("messages larger than every window go both ways")
    func carriesLargeMessages() async throws {
        let method = MethodDescriptor.test("Large", .bidirectional, maxRequestBytes: 2_000_000)
        let handler = MethodHandler.rawBidirectional(method) { requests, writer, _ in
            for try await request in requests { try await writer.send(request) }
        }
        try await withServer([handler]) { channel, _ in
            let call: BidirectionalCall<Text, Text> = try await channel.bidirectional(method, options: .init())
            let large = Text(service: String(repeating: "y", count: 1_500_000))
            var responses = call.responses.makeAsyncIterator()
            for _ in 0..<3 {
                try await call.send(large)
                expectEqual(try await responses.next(), large)
            }
            call.finish()
            expectEqual(try await responses.next(), nil)
        }
    }

    @Test("a slow handler holds its own sender, with little in memory, and no other call of the channel")
    func holdsSender() async throws {
        let gate = Gate()
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            try await gate.wait()
            var count = 0
            for try await _ in requests { count += 1 }
            return Text(service: String(count))
        }
        try await withServer([handler, .echo]) { channel, _ in
            let call: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(.gather, options: .init())
            let sent = Shared(0)
            let sender = Task { [long] in
                for _ in 0..<200 {
                    try await call.send(long)
                    sent.update { $0 += 1 }
                }
            }
            // The server's window, what the client buffers, and rounding.
            let bound = (ServerConnection.streamWindow + 64 * 1024) / 10_000 + 4
            try await eventually("the window is full") { sent.value >= ServerConnection.streamWindow / 10_000 }
            for _ in 0..<200 { let _: Text = try await channel.unary(.echo, long, options: .init()) }
            #expect(sent.value <= bound)
            gate.open()
            try await sender.value
            let response = try await call.response()
            #expect(response.service == "200")
        }
    }

    @Test("a handler that refuses early ends the sender's waiting with its status")
    func refusesEarly() async throws {
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) -> Text in
            var iterator = requests.makeAsyncIterator()
            _ = try await iterator.next()
            throw RPCError(.outOfRange, "enough", reason: "ENOUGH")
        }
        try await withServer([handler, .echo]) { channel, _ in
            let call: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(.gather, options: .init())
            let status = try await status {
                for _ in 0..<100_000 { try await call.send(long) }
            }
            #expect(status == RPCError(.outOfRange, "enough", reason: "ENOUGH"))
            let after: Text = try await channel.unary(.echo, Text(service: "next"), options: .init())
            #expect(after.service == "next")
        }
    }

    @Test("a caller that cancels ends the handler's requests, its task, and its place", arguments: [true, false])
    func cancels(byLettingGo: Bool) async throws {
        let began = Shared(0)
        let ended = Shared<[RPCError.Code]>([])
        let handler = MethodHandler.bidirectional(.chat) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, _) in
            began.update { $0 += 1 }
            do {
                for try await _ in requests {}
            } catch let error as RPCError {
                let code = Task.isCancelled ? error.code : .unknown
                ended.update { $0.append(code) }
                throw error
            }
        }
        try await withServer([handler], configure: { $0.maxConcurrentStreams = 2 }) { channel, _ in
            for round in 1...5 {
                var call: BidirectionalCall<Text, Text>? = try await channel.bidirectional(.chat, options: .init())
                try await call?.send(long)
                try await eventually("the handler runs") { began.value == round }
                if !byLettingGo { call?.cancel() }
                call = nil
                try await eventually("the handler ends") { ended.value.count == round }
            }
            #expect(ended.value == Array(repeating: .cancelled, count: 5))
        }
    }

    @Test("compression goes both ways, message by message")
    func compresses() async throws {
        let compressed = Shared<[Bool]>([])
        let handler = MethodHandler.bidirectional(.chat) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, call) in
            for try await request in requests {
                compressed.update { $0.append(call.requestWasCompressed) }
                try await writer.send(request)
            }
        }
        try await withServer([handler], configure: { $0.responseCompression = true }) { channel, _ in
            var options = CallOptions()
            options.compression = .gzip
            let call: BidirectionalCall<Text, Text> = try await channel.bidirectional(.chat, options: options)
            var responses = call.responses.makeAsyncIterator()
            for on in [true, false, true] {
                call.setCompression(on)
                try await call.send(long)
                expectEqual(try await responses.next(), long)
            }
            call.finish()
            expectEqual(try await responses.next(), nil)
        }
        #expect(compressed.value == [true, false, true])
    }

    @Test("what a handler sets beside its responses arrives before and after them")
    func carriesMetadata() async throws {
        let handler = MethodHandler.bidirectional(.chat) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, call) in
            call.setInitialMetadata("x-first", "1")
            call.addInitialMetadata("b-bin", binary: [0, 255])
            try await writer.sendHeaders()
            for try await request in requests { try await writer.send(request) }
            call.addTrailer("x-last", "2")
            call.addTrailer("x-last", "3")
        }
        try await withServer([handler]) { channel, _ in
            var options = CallOptions()
            let metadata = ResponseMetadata()
            options.responseMetadata = metadata
            let call: BidirectionalCall<Text, Text> = try await channel.bidirectional(.chat, options: options)
            // The headers come although nothing was said yet.
            try await eventually("the headers come") { metadata.initial?[first: "x-first"] == "1" }
            #expect(metadata.initial?[firstBinary: "b-bin"] == [0, 255])
            call.finish()
            for try await _ in call.responses {}
            #expect(metadata.trailing?.values("x-last") == ["2", "3"])
        }
    }

    @Test("a server that stops ends streams that are open when its time is up")
    func endsAtShutdown() async throws {
        let began = Shared(false)
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            for try await _ in requests { began.update { $0 = true } }
            return Text()
        }
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let server = makeServer(path, [handler], configure: { $0.drainTimeout = .milliseconds(50) })
            try await server.start()
            let channel = makeChannel(path)
            let call: ClientStreamingCall<Text, Text> = try await channel.clientStreaming(.gather, options: .init())
            try await call.send(Text())
            try await eventually("the handler runs") { began.value }
            await server.shutDown()
            let status = try await status { try await call.response() }
            #expect(status?.code == .unavailable)
            await channel.close()
        }
    }
}
