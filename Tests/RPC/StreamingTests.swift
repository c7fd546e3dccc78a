import RPC
import Testing

@Suite("Server streaming", .timeLimit(.minutes(1)))
struct StreamingTests {
    @Test("messages arrive in order, all of them")
    func arrivesInOrder() async throws {
        try await withServer([.count]) { channel, _ in
            var expected = 0
            let stream: ResponseStream<Text> = channel.serverStreaming(
                .count, Text(service: "5000"), options: .init())
            for try await message in stream {
                #expect(message.service == String(expected))
                expected += 1
            }
            #expect(expected == 5000)
        }
    }

    @Test("a stream of no messages ends at once")
    func endsEmpty() async throws {
        try await withServer([.count]) { channel, _ in
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(service: "0"), options: .init())
            var iterator = stream.makeAsyncIterator()
            expectEqual(try await iterator.next(), nil)
            expectEqual(try await iterator.next(), nil)
        }
    }

    @Test("a status after messages arrives after them")
    func failsAfterMessages() async throws {
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            try await writer.send(Text(service: "first"))
            throw RPCError(.aborted, "enough", reason: "ENOUGH")
        }
        try await withServer([handler]) { channel, _ in
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var iterator = stream.makeAsyncIterator()
            expectEqual(try await iterator.next()?.service, "first")
            let status = try await status { try await iterator.next() }
            #expect(status == RPCError(.aborted, "enough", reason: "ENOUGH"))
            expectEqual(try await iterator.next(), nil)
        }
    }

    @Test("a reader that stops makes the writer wait, with little in memory, and disturbs no other call")
    func waitsForReader() async throws {
        let sent = Shared(0)
        let message = Text(service: String(repeating: "x", count: 10_000))
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            let encoded = EncodedMessage(message)
            for _ in 0..<500 {
                try await writer.send(encoded)
                sent.update { $0 += 1 }
            }
        }
        try await withServer([handler, .echo]) { channel, _ in
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var iterator = stream.makeAsyncIterator()
            expectEqual(try await iterator.next(), message)
            // Other calls go on, so by the time they are answered the writer has sent all it could.
            for _ in 0..<200 { let _: Text = try await channel.unary(.echo, message, options: .init()) }
            // The client's window and the server's buffer, and a few messages of rounding.
            let bound = (256 + 64) * 1024 / 10_000 + 4
            #expect(sent.value <= bound)
            var received = 1
            while let next = try await iterator.next() {
                #expect(next == message)
                received += 1
            }
            #expect(received == 500)
            #expect(sent.value == 500)
        }
    }

    @Test("messages larger than the window get through")
    func carriesLargeMessages() async throws {
        let message = Text(service: String(repeating: "y", count: 1_500_000))
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            for _ in 0..<5 { try await writer.send(message) }
        }
        try await withServer([handler]) { channel, _ in
            var received = 0
            for try await next in channel.serverStreaming(.count, Text(), options: .init(), as: Text.self) {
                #expect(next == message)
                received += 1
            }
            #expect(received == 5)
        }
    }

    @Test("letting go of the stream cancels the handler and frees its place")
    func cancelsWhenDropped() async throws {
        let ended = Shared(0)
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            defer { ended.update { $0 += 1 } }
            while true { try await writer.send(Text(service: String(repeating: "z", count: 1000))) }
        }
        try await withServer([handler], configure: { $0.maxConcurrentStreams = 2 }) { channel, _ in
            for round in 1...6 {
                var count = 0
                for try await _ in channel.serverStreaming(.count, Text(), options: .init(), as: Text.self) {
                    count += 1
                    if count == 3 { break }
                }
                try await eventually("the handler ends") { ended.value == round }
            }
        }
    }

    @Test("a reader whose task is cancelled is let go, and so is the handler")
    func cancelsReader() async throws {
        let gate = Gate()
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            try await writer.send(Text())
            try await gate.wait()
        }
        try await withServer([handler]) { channel, _ in
            let reader = Task {
                var count = 0
                for try await _ in channel.serverStreaming(.count, Text(), options: .init(), as: Text.self) {
                    count += 1
                }
                return count
            }
            try await eventually("the handler waits") { gate.waiting == 1 }
            reader.cancel()
            let status = try await status { try await reader.value }
            #expect(status?.code == .cancelled)
            try await eventually("the handler is cancelled") { gate.waiting == 0 }
        }
    }

    @Test("a deadline ends a stream that waits for a slow reader")
    func endsAtDeadline() async throws {
        let gone = Shared<RPCError?>(nil)
        let method = MethodDescriptor.test("Flood", .serverStreaming, deadline: .milliseconds(100))
        let handler = MethodHandler.serverStreaming(method) { (_: Text, writer: ResponseWriter<Text>, _) in
            do {
                while true { try await writer.send(Text(service: String(repeating: "z", count: 10_000))) }
            } catch let error as RPCError {
                gone.update { $0 = error }
                throw error
            }
        }
        try await withServer([handler]) { channel, _ in
            let stream: ResponseStream<Text> = channel.serverStreaming(method, Text(), options: .init())
            var iterator = stream.makeAsyncIterator()
            #expect(try await iterator.next() != nil)
            try await eventually("the writer is let go") { gone.value?.code == .cancelled }
            withExtendedLifetime(iterator) {}
        }
    }

    @Test("handlers that send from several tasks lose nothing")
    func sendsFromManyTasks() async throws {
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, _) in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for part in 0..<8 {
                    tasks.addTask {
                        for number in 0..<100 {
                            try await Task.detached { try await writer.send(Text(service: "\(part)/\(number)")) }.value
                        }
                    }
                }
                try await tasks.waitForAll()
            }
        }
        try await withServer([handler]) { channel, _ in
            var received: Set<String> = []
            for try await next in channel.serverStreaming(.count, Text(), options: .init(), as: Text.self) {
                received.insert(next.service)
            }
            #expect(received.count == 800)
        }
    }
}
