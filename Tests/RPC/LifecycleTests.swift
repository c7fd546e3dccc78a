import Foundation
import RPC
import Testing

@Suite("Starting, stopping and reconnecting", .timeLimit(.minutes(1)))
struct LifecycleTests {
    @Test("a server that is stopped finishes the calls in flight and removes its socket")
    func drains() async throws {
        let gate = Gate()
        let handler = MethodHandler.unary(.echo) { (request: Text, _) in
            try await gate.wait()
            return request
        }
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let server = makeServer(path, [handler], configure: { $0.drainTimeout = .seconds(20) })
            try await server.start()
            let channel = makeChannel(path)
            async let response: Text = channel.unary(.echo, Text(service: "last"), options: .init())
            try await eventually("the handler waits") { gate.waiting == 1 }
            async let stopped: Void = server.shutDown()
            try await eventually("the socket is gone") { !FileManager.default.fileExists(atPath: path) }
            let refused = try await status {
                try await channel.unary(.echo, Text(), options: .init(timeout: .milliseconds(300)), as: Text.self)
            }
            #expect(refused?.code == .unavailable || refused?.code == .deadlineExceeded)
            gate.open()
            #expect(try await response.service == "last")
            await stopped
            await channel.close()
        }
    }

    @Test("a handler that does not end is cancelled when the time is up, and its caller told")
    func cancelsAfterDrain() async throws {
        let gate = Gate()
        let handler = MethodHandler.unary(.echo) { (request: Text, _) in
            try await gate.wait()
            return request
        }
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let server = makeServer(path, [handler], configure: { $0.drainTimeout = .milliseconds(50) })
            try await server.start()
            let channel = makeChannel(path)
            async let outcome = status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            try await eventually("the handler waits") { gate.waiting == 1 }
            await server.shutDown()
            expectEqual(try await outcome?.code, .unavailable)
            #expect(gate.waiting == 0)
            await channel.close()
        }
    }

    @Test("a handler that ignores being cancelled does not hold the shutdown up")
    func stopsRegardless() async throws {
        let gate = Gate()
        let handler = MethodHandler.unary(.echo) { (request: Text, _) in
            await Task { try? await gate.wait() }.value
            return request
        }
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let server = makeServer(
                path, [handler],
                configure: {
                    $0.drainTimeout = .milliseconds(50)
                    $0.cancelTimeout = .milliseconds(50)
                })
            try await server.start()
            let channel = makeChannel(path)
            async let outcome = status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            try await eventually("the handler waits") { gate.waiting == 1 }
            await server.shutDown()
            expectEqual(try await outcome?.code, .unavailable)
            #expect(gate.waiting == 1)
            gate.open()
            await channel.close()
        }
    }

    @Test("run serves until its task is cancelled")
    func runsUntilCancelled() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let server = makeServer(path, [.echo])
            let running = Task { try await server.run() }
            let channel = makeChannel(path)
            let options = CallOptions(timeout: .seconds(20), waitForReady: true)
            let response: Text = try await channel.unary(.echo, Text(service: "up"), options: options)
            #expect(response.service == "up")
            running.cancel()
            try await running.value
            #expect(!FileManager.default.fileExists(atPath: path))
            await channel.close()
        }
    }

    @Test("of several that run a server which can't be started, none waits for it")
    func failsForAll() async throws {
        try await withTemporaryFolder { folder in
            for _ in 0..<50 {
                let server = makeServer(folder + "/none/s.sock", [.echo])
                let failed = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<20 { group.addTask { (try? await server.run()) == nil } }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(failed == 20)
            }
        }
    }

    @Test("without a server a call fails at once and names the neighbour")
    func failsAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let channel = makeChannel(folder + "/none.sock")
            for _ in 0..<5 {
                let status = try await status {
                    try await channel.unary(.echo, Text(), options: .init(), as: Text.self)
                }
                #expect(
                    status == RPCError(.unavailable, "neighbour is not reachable", reason: "NEIGHBOUR_UNAVAILABLE"))
            }
            await channel.close()
        }
    }

    @Test("a call that waits for the server gives up at its deadline")
    func waitsUntilDeadline() async throws {
        try await withTemporaryFolder { folder in
            let channel = makeChannel(folder + "/none.sock")
            let options = CallOptions(timeout: .milliseconds(100), waitForReady: true)
            let status = try await status { try await channel.unary(.echo, Text(), options: options, as: Text.self) }
            #expect(status?.code == .deadlineExceeded)
            await channel.close()
        }
    }

    @Test("a call that waits for the server can be cancelled")
    func waitsUntilCancelled() async throws {
        try await withTemporaryFolder { folder in
            let channel = makeChannel(folder + "/none.sock")
            let started = Shared(false)
            let call = Task {
                started.update { $0 = true }
                return try await channel.unary(.echo, Text(), options: .init(waitForReady: true), as: Text.self)
            }
            try await eventually("the call is made") { started.value }
            call.cancel()
            let status = try await status { try await call.value }
            #expect(status?.code == .cancelled)
            await channel.close()
        }
    }

    @Test("a call that waits for the server is answered when it comes up")
    func waitsForServer() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let channel = makeChannel(path)
            let options = CallOptions(timeout: .seconds(20), waitForReady: true)
            async let response: Text = channel.unary(.echo, Text(service: "late"), options: options)
            let refused = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(refused?.code == .unavailable)
            let server = makeServer(path, [.echo])
            try await server.start()
            #expect(try await response.service == "late")
            await channel.close()
            await server.shutDown()
        }
    }

    @Test("a channel finds its server again after a restart")
    func reconnects() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let channel = makeChannel(path)
            for round in 0..<3 {
                let server = makeServer(path, [.echo])
                try await server.start()
                let options = CallOptions(timeout: .seconds(20), waitForReady: true)
                let response: Text = try await channel.unary(.echo, Text(service: "\(round)"), options: options)
                #expect(response.service == "\(round)")
                await server.shutDown()
            }
            await channel.close()
        }
    }

    @Test(
        "a call whose connection dies before the answer is made once more when it is idempotent, and only then",
        arguments: [(MethodDescriptor.test("Read", idempotent: true), 2), (.test("Write"), 1)])
    func repeatsIdempotentCalls(method: MethodDescriptor, attempts: Int) async throws {
        try await withFrameServer { frame, connection in
            if frame.endsStream { connection.close() }
        } _: { channel, server in
            let status = try await status { try await channel.unary(method, Text(), options: .init(), as: Text.self) }
            #expect(status?.code == .unavailable)
            #expect(server.accepted.value == attempts)
        }
    }

    @Test("a channel that is closed makes no more calls")
    func closes() async throws {
        try await withServer([.echo]) { channel, _ in
            let _: Text = try await channel.unary(.echo, Text(), options: .init())
            await channel.close()
            let status = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(status?.code == .unavailable)
        }
    }
}
