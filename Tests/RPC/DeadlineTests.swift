import RPC
import Testing

@Suite("Deadlines and cancellation", .timeLimit(.minutes(1)))
struct DeadlineTests {
    /// Waits at the gate and says how it was let through.
    private func waiting(_ method: MethodDescriptor, at gate: Gate, _ outcome: Shared<String>) -> MethodHandler {
        .unary(method) { (request: Text, _) in
            do {
                try await gate.wait()
                outcome.update { $0 = "through" }
            } catch {
                outcome.update { $0 = "cancelled" }
                throw error
            }
            return request
        }
    }

    @Test("a caller's deadline ends the call on both sides")
    func endsAtCallersDeadline() async throws {
        let gate = Gate()
        let outcome = Shared("")
        try await withServer([waiting(.echo, at: gate, outcome)]) { channel, _ in
            // On a busy machine a deadline may pass before the call has reached the handler.
            for timeout in [0.2, 1, 5] where outcome.value.isEmpty {
                let options = CallOptions(timeout: .seconds(timeout))
                let status = try await status {
                    try await channel.unary(.echo, Text(), options: options, as: Text.self)
                }
                #expect(status?.code == .deadlineExceeded)
                if gate.waiting > 0 {
                    try await eventually("the handler is cancelled") { outcome.value == "cancelled" }
                }
            }
            #expect(outcome.value == "cancelled")
        }
    }

    @Test("the server keeps a deadline by itself, and answers while the handler goes on")
    func endsAtMethodsDeadline() async throws {
        let method = MethodDescriptor.test("Slow", deadline: .milliseconds(50))
        let gate = Gate()
        let finished = Shared(false)
        // A handler that does not notice that it is cancelled.
        let handler = MethodHandler.unary(method) { (request: Text, _) in
            await Task { try? await gate.wait() }.value
            finished.update { $0 = true }
            return request
        }
        try await withServer([handler, .echo]) { channel, _ in
            let status = try await status { try await channel.unary(method, Text(), options: .init(), as: Text.self) }
            #expect(status?.code == .deadlineExceeded)
            #expect(!finished.value)
            gate.open()
            try await eventually("the late answer is dropped") { finished.value }
            let after: Text = try await channel.unary(.echo, Text(service: "next"), options: .init())
            #expect(after.service == "next")
        }
    }

    @Test("the handler sees the caller's deadline, and a call onward takes it along")
    func passesDeadlines() async throws {
        let seen = Shared<ContinuousClock.Instant?>(nil)
        let onward = Shared<ContinuousClock.Instant?>(nil)
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.deadline }
            onward.update { $0 = CallOptions.onward(from: call).deadline }
            return request
        }
        try await withServer([handler]) { channel, _ in
            let options = CallOptions(timeout: .seconds(30))
            let asked = try #require(options.deadline)
            let _: Text = try await channel.unary(.echo, Text(), options: options)
            let got = try #require(seen.value)
            #expect(abs((got - asked) / .seconds(1)) < 5)
            // Each is worked out from the time that is left when it is asked for.
            let passed = try #require(onward.value)
            #expect(abs((passed - got) / .seconds(1)) < 1)
        }
    }

    @Test(
        "a deadline that has passed is none to come, however long ago it was",
        arguments: [1, 20_000_000_000] as [Int64])
    func endsLongAgo(seconds: Int64) async throws {
        try await withServer([.echo]) { channel, _ in
            var options = CallOptions()
            // With a connection to be made, and with one that is there.
            for _ in 0..<2 {
                options.deadline = .now.advanced(by: .seconds(-seconds))
                let status = try await status {
                    try await channel.unary(.echo, Text(), options: options, as: Text.self)
                }
                #expect(status?.code == .deadlineExceeded)
                let _: Text = try await channel.unary(.echo, Text(), options: .init())
            }
        }
    }

    @Test("a caller that cancels its task cancels the handler's")
    func cancels() async throws {
        let gate = Gate()
        let outcome = Shared("")
        try await withServer([waiting(.echo, at: gate, outcome)]) { channel, _ in
            let call = Task { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            try await eventually("the handler waits") { gate.waiting == 1 }
            call.cancel()
            let status = try await status { try await call.value }
            #expect(status?.code == .cancelled)
            try await eventually("the handler is cancelled") { outcome.value == "cancelled" }
        }
    }

    @Test("a caller that was cancelled before the call does not make it")
    func cancelsEarly() async throws {
        let calls = Shared(0)
        let handler = MethodHandler.unary(.echo) { (request: Text, _) in
            calls.update { $0 += 1 }
            return request
        }
        try await withServer([handler]) { channel, _ in
            let gate = Gate()
            let call = Task {
                try? await gate.wait()
                return try await channel.unary(.echo, Text(), options: .init(), as: Text.self)
            }
            call.cancel()
            let status = try await status { try await call.value }
            #expect(status?.code == .cancelled)
        }
        #expect(calls.value == 0)
    }

    @Test("a connection that dies cancels the handlers of its calls")
    func cancelsWithConnection() async throws {
        let gate = Gate()
        let outcome = Shared("")
        try await withServer([waiting(.test("Wait"), at: gate, outcome)]) { _, path in
            let other = makeChannel(path)
            let call = Task { try await other.unary(.test("Wait"), Text(), options: .init(), as: Text.self) }
            try await eventually("the handler waits") { gate.waiting == 1 }
            await other.close()
            try await eventually("the handler is cancelled") { outcome.value == "cancelled" }
            let status = try await status { try await call.value }
            #expect(status?.code == .unavailable)
        }
    }
}
