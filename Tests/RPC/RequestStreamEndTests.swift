import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("How streams of requests end", .timeLimit(.minutes(1)))
struct RequestStreamEndTests {
    @Test(
        "a handler that has its answer early gives it, and asks the caller to send no more", arguments: [true, false])
    func answersEarly(succeeds: Bool) async throws {
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            var iterator = requests.makeAsyncIterator()
            let first = try await iterator.next()
            guard succeeds else { throw RPCError(.outOfRange, "enough") }
            return first ?? Text()
        }
        try await withRawClient([handler, .echo]) { client in
            let message = framed(String(repeating: "x", count: 10_000))
            let body = framed("first") + repeated(message, 100)
            let call = client.request(.request(MethodDescriptor.gather.path), body: body, end: false)
            try await client.wait(for: call)
            expect(succeeds ? nil : .outOfRange, call)
            #expect(call.messages.map(\.service) == (succeeds ? ["first"] : []))
            #expect(call.resetCode == 0)
            let echo = client.request(.request(), body: framed("next"))
            try await client.wait(for: echo)
            expect(nil, echo)
        }
    }

    @Test("an early answer that its caller reads slowly arrives whole before the caller is asked to stop")
    func answersEarlyAndSlowly() async throws {
        let text = Text(service: String(repeating: "y", count: 30_000))
        let handler = MethodHandler.bidirectional(.chat) { (_: RequestStream<Text>, writer: ResponseWriter<Text>, _) in
            try await writer.send(text)
        }
        try await withRawClient([handler], window: 1_000) { client in
            let call = client.request(.request(MethodDescriptor.chat.path), body: framed("x"), end: false)
            try await client.read(call)
            expect(nil, call)
            #expect(call.messages == [text])
            #expect(call.resetCode == 0)
        }
    }

    @Test("a caller that resets its call ends the requests with CANCELLED, and its handler's task is cancelled")
    func endsWithCaller() async throws {
        let taken = Shared(0)
        let seen = Shared<RPCError?>(nil)
        let wasCancelled = Shared(false)
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            do {
                for try await _ in requests { taken.update { $0 += 1 } }
            } catch {
                seen.update { $0 = error as? RPCError }
                wasCancelled.update { $0 = Task.isCancelled }
                throw error
            }
            return Text()
        }
        try await withRawClient([handler]) { client in
            let call = client.request(.request(MethodDescriptor.gather.path), body: framed("x"), end: false)
            try await eventually("the handler has begun") { taken.value == 1 }
            client.reset(call)
            try await eventually("the handler is told") { seen.value != nil }
            #expect(seen.value?.code == .cancelled)
            #expect(wasCancelled.value)
        }
    }

    @Test("a handler that waits for something else is cancelled too, and finds no more requests")
    func endsWaitingHandler() async throws {
        let gate = Gate()
        let seen = Shared<RPCError?>(nil)
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            try? await gate.wait()
            var iterator = requests.makeAsyncIterator()
            do {
                _ = try await iterator.next()
            } catch {
                seen.update { $0 = error as? RPCError }
            }
            return Text()
        }
        try await withRawClient([handler]) { client in
            let call = client.request(.request(MethodDescriptor.gather.path), body: framed("x"), end: false)
            try await eventually("the handler waits") { gate.waiting == 1 }
            client.reset(call)
            try await eventually("the handler is told") { seen.value?.code == .cancelled }
        }
    }

    @Test("a deadline ends a stream of requests on both sides")
    func endsAtDeadline() async throws {
        let seen = Shared<RPCError?>(nil)
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            do {
                for try await _ in requests {}
            } catch {
                seen.update { $0 = error as? RPCError }
                throw error
            }
            return Text()
        }
        try await withRawClient([handler]) { client in
            let headers = Metadata.request(MethodDescriptor.gather.path, changes: ["grpc-timeout": "50m"])
            let call = client.request(headers, body: framed("x"), end: false)
            try await client.wait(for: call)
            expect(.deadlineExceeded, call)
            try await eventually("the handler is told") { seen.value?.code == .cancelled }
        }
    }

    @Test("a request over the method's limit ends the stream, after those before it")
    func refusesLargeRequests() async throws {
        let taken = Shared<[String]>([])
        let small = MethodDescriptor.test("Small", .clientStreaming, maxRequestBytes: 100)
        let handler = MethodHandler.clientStreaming(small) { (requests: RequestStream<Text>, _) in
            for try await request in requests { taken.update { $0.append(request.service) } }
            return Text()
        }
        try await withRawClient([handler]) { client in
            let call = client.request(.request(small.path), body: framed("fits"), end: false)
            try await eventually("the first is taken") { taken.value == ["fits"] }
            client.send(Array(framed(String(repeating: "x", count: 5_000)).prefix(6)), on: call)
            try await client.wait(for: call)
            expect(.resourceExhausted, call)
            #expect(call.resetCode == 0)
        }
    }

    @Test("a request cut short by the end of its stream is INTERNAL")
    func refusesHalfRequests() async throws {
        try await withRawClient([.gather]) { client in
            let call = client.request(
                .request(MethodDescriptor.gather.path), body: framed("x") + Array(framed("text").prefix(7)))
            try await client.wait(for: call)
            expect(.internal, call)
        }
    }

    @Test("a request that is no protobuf is INTERNAL")
    func refusesMalformedRequests() async throws {
        try await withRawClient([.gather]) { client in
            let call = client.request(
                .request(MethodDescriptor.gather.path), body: [0, 0, 0, 0, 3, 0xFF, 0xFF, 0xFF], end: false)
            try await client.wait(for: call)
            expect(.internal, call)
        }
    }

    @Test("an open stream may be silent for as long as it likes, but a request that has begun must become complete")
    func endsHalfRequests() async throws {
        try await withRawClient([.chat], configure: { $0.requestTimeout = .milliseconds(100) }) { client in
            let call = client.request(.request(MethodDescriptor.chat.path), body: framed("x"), end: false)
            // The silent stream was there first: by the time the other is ended, its time would be up as well.
            let half = client.request(
                .request(MethodDescriptor.chat.path), body: Array(framed("text").prefix(7)), end: false)
            try await client.wait(for: half)
            expect(.deadlineExceeded, half)
            #expect(!call.isOver)
            client.send(framed("still"), on: call, end: true)
            try await client.wait(for: call)
            expect(nil, call)
            #expect(call.messages.map(\.service) == ["hello", "x", "still"])
        }
    }

    @Test("a request whose rest waits for a slow handler is not late")
    func waitsForSlowHandlers() async throws {
        let gate = Gate()
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            try await gate.wait()
            var count = 0
            for try await _ in requests { count += 1 }
            return Text(service: String(count))
        }
        try await withRawClient([handler, .chat], configure: { $0.requestTimeout = .milliseconds(500) }) { client in
            let message = framed(String(repeating: "x", count: 100_000))
            let body = repeated(message, 6)
            let call = client.request(.request(MethodDescriptor.gather.path), body: body)
            // Twice the time that a request may take passes.
            for _ in 0..<2 {
                let half = client.request(
                    .request(MethodDescriptor.chat.path), body: Array(framed("text").prefix(7)), end: false)
                try await client.wait(for: half)
                expect(.deadlineExceeded, half)
            }
            gate.open()
            try await client.wait(for: call)
            #expect(call.messages.map(\.service) == ["6"])
        }
    }

    @Test("a header block that never ends ends the connection")
    func endsHalfHeaders() async throws {
        try await withServer([.echo], configure: { $0.requestTimeout = .milliseconds(50) }) { channel, path in
            let client = try RawClient(path)
            client.write(
                Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
                    // ":method POST" and no END_HEADERS.
                    + [0, 0, 1, 1, 0, 0, 0, 0, 1, 0x83])
            while !client.isClosed { _ = client.read() }
            let response: Text = try await channel.unary(.echo, Text(service: "still"), options: .init())
            #expect(response.service == "still")
        }
    }
}
