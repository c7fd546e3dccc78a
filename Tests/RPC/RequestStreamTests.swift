import NIOCore
import ProtobufC
import Testing

@testable import RPC

extension MethodDescriptor {
    static let gather = MethodDescriptor.test("Gather", .clientStreaming, maxRequestBytes: 2 * 1024 * 1024)
    static let chat = MethodDescriptor.test("Chat", .bidirectional)
}

extension MethodHandler {
    /// Answers with all the texts, joined.
    static let gather = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
        var texts: [String] = []
        for try await request in requests { texts.append(request.service) }
        return Text(service: texts.joined(separator: " "))
    }

    /// Says hello, and sends back each text as it comes.
    static let chat = MethodHandler.bidirectional(.chat) {
        (requests: RequestStream<Text>, writer: ResponseWriter<Text>, _) in
        try await writer.send(Text(service: "hello"))
        for try await request in requests { try await writer.send(request) }
    }
}

@Suite("Streams of requests", .timeLimit(.minutes(1)))
struct RequestStreamTests {
    // MARK: What goes well

    @Test("the requests of a client-streaming call arrive in order, and one answer comes back")
    func gathers() async throws {
        try await withRawClient([.gather]) { client in
            let call = client.request(
                .request(MethodDescriptor.gather.path), body: framed("a") + framed("b"), end: false)
            for text in ["c", "d"] { client.send(framed(text), on: call) }
            client.end(call)
            try await client.wait(for: call)
            expect(nil, call)
            #expect(call.messages.map(\.service) == ["a b c d"])
            #expect(call.resetCode == 0)
        }
    }

    @Test("a call of no requests, ended by its headers, is answered")
    func gathersNothing() async throws {
        try await withRawClient([.gather]) { client in
            let call = client.request(.request(MethodDescriptor.gather.path), body: [])
            try await client.wait(for: call)
            expect(nil, call)
            #expect(call.messages.map(\.service) == [""])
        }
    }

    @Test("a bidirectional handler speaks first, and answers each request before the next is sent")
    func chats() async throws {
        try await withRawClient([.chat]) { client in
            let call = client.request(.request(MethodDescriptor.chat.path), body: [], end: false)
            try await client.wait { call.messages.count == 1 }
            for number in 1...50 {
                client.send(framed("\(number)"), on: call)
                try await client.wait { call.messages.count == number + 1 }
            }
            client.end(call)
            try await client.wait(for: call)
            expect(nil, call)
            #expect(call.messages.map(\.service) == ["hello"] + (1...50).map { String($0) })
        }
    }

    @Test("requests larger than the window get in, cut however they are")
    func carriesLargeRequests() async throws {
        let large = String(repeating: "x", count: 1_200_000)
        let sizes = Shared<[Int]>([])
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            for try await request in requests { sizes.update { $0.append(request.service.utf8.count) } }
            return Text()
        }
        try await withRawClient([handler]) { client in
            let body = framed(large) + framed("small") + framed(large)
            let call = client.request(.request(MethodDescriptor.gather.path), body: body)
            try await client.wait(for: call)
            expect(nil, call)
            #expect(sizes.value == [1_200_000, 5, 1_200_000])
        }
    }

    @Test("a handler that reads from another thread gets everything")
    func readsElsewhere() async throws {
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            let bytes = try await Task.detached {
                var bytes = 0
                for try await request in requests { bytes += request.service.utf8.count }
                return bytes
            }.value
            return Text(service: String(bytes))
        }
        try await withRawClient([handler]) { client in
            let message = framed(String(repeating: "x", count: 10_000))
            let call = client.request(.request(MethodDescriptor.gather.path), body: [], end: false)
            for _ in 0..<300 {
                client.send(message, on: call)
            }
            client.end(call)
            try await client.wait(for: call)
            #expect(call.messages.map(\.service) == ["3000000"])
        }
    }

    @Test("raw handlers take and give the bytes as they are")
    func forwardsBytes() async throws {
        let chat = MethodHandler.rawBidirectional(.chat) { requests, writer, _ in
            for try await request in requests { try await writer.send(request) }
        }
        let gather = MethodHandler.rawClientStreaming(.gather) { requests, _ in
            var all = ByteBuffer()
            for try await request in requests { all.writeImmutableBuffer(request) }
            return all
        }
        try await withRawClient([chat, gather]) { client in
            let body: [UInt8] = [0, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 1, 3]
            let first = client.request(.request(MethodDescriptor.chat.path), body: body)
            try await client.wait(for: first)
            #expect(first.body == body)
            let second = client.request(.request(MethodDescriptor.gather.path), body: body)
            try await client.wait(for: second)
            #expect(second.body == [0, 0, 0, 0, 3, 1, 2, 3])
        }
    }

    @Test("a stream made of a list hands it out once: for handlers without a server")
    func standsAlone() async throws {
        let requests = RequestStream([Text(service: "a"), Text(service: "b")])
        var iterator = requests.makeAsyncIterator()
        expectEqual(try await iterator.next()?.service, "a")
        var rest: [String] = []
        for try await request in requests { rest.append(request.service) }
        #expect(rest == ["b"])
        expectEqual(try await iterator.next(), nil)
    }

    // MARK: Pace

    @Test("a handler that doesn't read stops its caller within a window, and no other call of the connection")
    func slowsItsCaller() async throws {
        let gate = Gate()
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            try await gate.wait()
            var count = 0
            for try await _ in requests { count += 1 }
            return Text(service: String(count))
        }
        try await withRawClient([handler, .echo]) { client in
            let message = framed(String(repeating: "x", count: 10_000))
            let all = repeated(message, 400)
            let call = client.request(.request(MethodDescriptor.gather.path), body: all, end: true)
            // Other calls go on, with more than the window in all; by then the caller has sent what it could.
            for _ in 0..<100 {
                let echo = client.request(.request(), body: message)
                try await client.wait { echo.isOver }
                expect(nil, echo)
            }
            let sent = all.count - call.outbound.count
            #expect(sent == ServerConnection.streamWindow)
            gate.open()
            try await client.wait(for: call)
            #expect(call.messages.map(\.service) == ["400"])
        }
    }

    @Test("a caller that doesn't read its responses stops its handler, and no other call of the connection")
    func slowsItsHandler() async throws {
        let sent = Shared(0)
        let text = Text(service: String(repeating: "x", count: 10_000))
        let handler = MethodHandler.bidirectional(.chat) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, _) in
            for try await _ in requests {
                try await writer.send(text)
                sent.update { $0 += 1 }
            }
        }
        try await withRawClient([handler, .echo], window: 20_000) { client in
            let body = repeated(framed("go"), 100)
            let call = client.request(.request(MethodDescriptor.chat.path), body: body)
            for _ in 0..<50 {
                let echo = client.request(.request(), body: framed("x"))
                try await client.wait { echo.isOver }
                expect(nil, echo)
            }
            #expect(sent.value <= (20_000 + 64 * 1024) / 10_000 + 2)
            try await client.read(call)
            expect(nil, call)
            #expect(sent.value == 100)
            #expect(call.messages.count == 100)
        }
    }

    @Test("what waits counts against the connection's requests, and no longer when it was taken or dropped")
    func countsWaitingBytes() async throws {
        let gate = Gate()
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            try await gate.wait()
            for try await _ in requests {}
            return Text()
        }
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxBufferedRequestBytes = 300_000
        }
        try await withRawClient([handler, .chat], configure: configure) { client in
            let message = framed(String(repeating: "x", count: 9_000))
            let many = repeated(message, 25)
            let waiting = client.request(.request(MethodDescriptor.gather.path), body: many, end: false)
            let over = client.request(.request(MethodDescriptor.gather.path), body: many, end: false)
            try await client.wait(for: over)
            expect(.resourceExhausted, over)
            client.reset(waiting)
            gate.open()
            // A hundred times what may wait goes through a handler that takes it.
            let call = client.request(.request(MethodDescriptor.chat.path), body: [], end: false)
            for _ in 0..<3 {
                client.send(many, on: call)
            }
            client.end(call)
            try await client.read(call)
            expect(nil, call)
            #expect(call.messages.count == 76)
        }
    }

    // MARK: Readers

    @Test("a reader that is cancelled leaves the stream to the next one")
    func survivesCancelledReader() async throws {
        let reading = Shared(false)
        let handler = MethodHandler.bidirectional(.chat) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, _) in
            let reader = Task { () -> RPCError? in
                reading.update { $0 = true }
                var iterator = requests.makeAsyncIterator()
                do throws(RPCError) {
                    _ = try await iterator.next()
                    return nil
                } catch {
                    return error
                }
            }
            try await eventually("the reader is there") { reading.value }
            reader.cancel()
            let error = await reader.value
            try await writer.send(Text(service: error?.code.name ?? "none"))
            for try await request in requests { try await writer.send(request) }
        }
        try await withRawClient([handler]) { client in
            let call = client.request(.request(MethodDescriptor.chat.path), body: [], end: false)
            try await client.wait { call.messages.count == 1 }
            client.send(framed("after"), on: call, end: true)
            try await client.wait(for: call)
            expect(nil, call)
            #expect(call.messages.map(\.service) == ["CANCELLED", "after"])
        }
    }

    @Test("of two readers at once, one is refused")
    func refusesSecondReader() async throws {
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            let outcomes = await withTaskGroup(of: RPCError.Code?.self) { tasks in
                for _ in 0..<2 {
                    tasks.addTask {
                        var iterator = requests.makeAsyncIterator()
                        do throws(RPCError) {
                            _ = try await iterator.next()
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                let first = await tasks.next() ?? nil
                tasks.cancelAll()
                return first
            }
            return Text(service: outcomes?.name ?? "none")
        }
        try await withRawClient([handler]) { client in
            let call = client.request(.request(MethodDescriptor.gather.path), body: [], end: false)
            try await client.wait(for: call)
            #expect(call.messages.map(\.service) == ["INTERNAL"])
        }
    }
}
