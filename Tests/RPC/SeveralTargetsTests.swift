import Foundation
import NIOCore
import Testing

@testable import RPC

@Suite("A channel of several targets", .timeLimit(.minutes(1)))
struct SeveralTargetsTests {
    /// A server that answers with its own name.
    private func server(_ path: String, _ name: String, health: HealthService = HealthService()) async throws
        -> RPCServer
    {
        let handler = MethodHandler.unary(.echo) { (_: Text, _) in Text(service: name) }
        let server = makeServer(path, [handler], health: health)
        try await server.start()
        return server
    }

    private func channel(
        _ targets: [RPCTarget], _ policy: PickPolicy, health: String? = nil
    ) -> RPCChannel {
        RPCChannel(
            targets: targets, policy: policy, name: "neighbour", healthCheckedService: health, group: testGroup,
            logger: testLogger)
    }

    private func ask(_ channel: RPCChannel, key: String? = nil, wait: Bool = false) async throws -> String {
        var options = CallOptions(timeout: .seconds(20), waitForReady: wait)
        options.routingKey = key
        let response: Text = try await channel.unary(.echo, Text(), options: options)
        return response.service
    }

    /// Three servers, `a` to `c`.
    private func withServers(
        _ policy: PickPolicy, health: String? = nil,
        _ body: (_ channel: RPCChannel, _ servers: [RPCServer], _ paths: [String], _ health: [HealthService])
            async throws
            -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let paths = ["a", "b", "c"].map { "\(folder)/\($0)" }
            let healths = paths.map { _ in HealthService() }
            var servers: [RPCServer] = []
            for (path, service) in zip(paths, healths) {
                servers.append(try await server(path, String(path.suffix(1)), health: service))
            }
            let channel = channel(paths.map { .path($0) }, policy, health: health)
            try await body(channel, servers, paths, healths)
            await channel.close()
            for server in servers { await server.shutDown() }
        }
    }

    @Test("round robin reaches all, and goes on with the rest when one stops")
    func takesTurns() async throws {
        try await withServers(.roundRobin) { channel, servers, _, _ in
            _ = try await ask(channel)
            try await eventually("all are reached") {
                channel.picker?.readyTargets == 3
            }
            var names: [String] = []
            for _ in 0..<9 { names.append(try await ask(channel)) }
            for name in ["a", "b", "c"] { #expect(names.count { $0 == name } == 3) }
            await servers[1].shutDown()
            names = []
            for _ in 0..<10 { names.append(try await ask(channel)) }
            #expect(Set(names) == ["a", "c"])
        }
    }

    @Test("a key stays with its server, moves while that is away, and comes back")
    func goesByKey() async throws {
        try await withServers(.byKey) { channel, servers, paths, _ in
            let keys = (0..<30).map { "session-\($0)" }
            var homes: [String: String] = [:]
            for key in keys { homes[key] = try await ask(channel, key: key) }
            #expect(Set(homes.values) == ["a", "b", "c"])
            for key in keys { expectEqual(try await ask(channel, key: key), homes[key]) }
            await servers[0].shutDown()
            for key in keys {
                let now = try await ask(channel, key: key)
                #expect(homes[key] == "a" ? now != "a" : now == homes[key])
            }
            let again = try await server(paths[0], "a")
            try await eventually("it is reached again") { channel.picker?.readyTargets == 3 }
            for key in keys { expectEqual(try await ask(channel, key: key), homes[key]) }
            await again.shutDown()
        }
    }

    @Test("pick-first stays with the first, goes to the next when it stops, and comes back after a while")
    func picksFirst() async throws {
        try await withServers(.pickFirst) { channel, servers, paths, _ in
            for _ in 0..<5 { expectEqual(try await ask(channel), "a") }
            // The others weren't even connected to.
            expectEqual(channel.picker?.readyTargets, 1)
            await servers[0].shutDown()
            for _ in 0..<5 { expectEqual(try await ask(channel), "b") }
            let again = try await server(paths[0], "a")
            let end = ContinuousClock.now.advanced(by: .seconds(10))
            while try await ask(channel) != "a", ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
            }
            for _ in 0..<5 { expectEqual(try await ask(channel), "a") }
            await again.shutDown()
        }
    }

    @Test("with no target up a call fails at once, and one that waits is answered by the first that comes")
    func waitsForAny() async throws {
        try await withTemporaryFolder { folder in
            let paths = ["a", "b"].map { "\(folder)/\($0)" }
            for policy in [PickPolicy.pickFirst, .roundRobin, .byKey] {
                let channel = channel(paths.map { .path($0) }, policy)
                for _ in 0..<3 {
                    expectEqual(
                        try await status { try await ask(channel, key: "k") },
                        RPCError(.unavailable, "neighbour is not reachable", reason: "NEIGHBOUR_UNAVAILABLE"))
                }
                async let answer = ask(channel, key: "k", wait: true)
                let server = try await server(paths[1], "b")
                #expect(try await answer == "b")
                await channel.close()
                expectEqual(try await status { try await ask(channel) }?.code, .unavailable)
                await server.shutDown()
            }
        }
    }

    @Test("a call that waits for several targets ends with its deadline, and when it is cancelled")
    func stopsWaiting() async throws {
        try await withTemporaryFolder { folder in
            let channel = channel(["a", "b"].map { .path("\(folder)/\($0)") }, .roundRobin)
            let short = CallOptions(timeout: .milliseconds(50), waitForReady: true)
            expectEqual(
                try await status { try await channel.unary(.echo, Text(), options: short, as: Text.self) }?.code,
                .deadlineExceeded)
            let call = Task {
                try await channel.unary(.echo, Text(), options: CallOptions(waitForReady: true), as: Text.self)
            }
            call.cancel()
            expectEqual(try await status { try await call.value }?.code, .cancelled)
            await channel.close()
        }
    }

    @Test("a server that says it doesn't serve gets no calls while another does, and none serving is said")
    func mindsHealth() async throws {
        try await withServers(.pickFirst, health: "") { channel, _, _, health in
            expectEqual(try await ask(channel), "a")
            health[0].set(false)
            try await asked(channel, says: "b")
            health[0].set(true)
            try await asked(channel, says: "a")
            for service in health { service.set(false) }
            let end = ContinuousClock.now.advanced(by: .seconds(10))
            var last: RPCError?
            while last == nil, ContinuousClock.now < end { last = try await status { try await ask(channel) } }
            #expect(
                last == RPCError(.unavailable, "neighbour is not serving", reason: "NEIGHBOUR_NOT_SERVING"))
            async let waiting = ask(channel, wait: true)
            health[2].set(true)
            #expect(try await waiting == "c")
        }
    }

    private func asked(_ channel: RPCChannel, says name: String) async throws {
        let end = ContinuousClock.now.advanced(by: .seconds(10))
        while try await ask(channel) != name {
            guard ContinuousClock.now < end else {
                Issue.record("not answered by \(name)")
                return
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test("a single target's health is minded too, and one without health is taken to be well")
    func mindsSingle() async throws {
        try await withTemporaryFolder { folder in
            let health = HealthService()
            let server = try await server(folder + "/a", "a", health: health)
            let channel = channel([.path(folder + "/a")], .pickFirst, health: "chat")
            // A service that the server doesn't know is none that serves.
            expectEqual(try await status { try await ask(channel) }?.reason, "NEIGHBOUR_NOT_SERVING")
            health.set(true, service: "chat")
            expectEqual(try await ask(channel, wait: true), "a")
            await channel.close()
            await server.shutDown()

            let frames = FrameServer { frame, connection in
                guard frame.endsStream else { return }
                if frame.stream == 1 {
                    connection.send(.trailersOnly(1, 12))
                } else {
                    connection.send(Frame.answer(frame.stream, "unhealthy"))
                }
            }
            try await frames.start(folder + "/f")
            let other = self.channel([.path(folder + "/f")], .pickFirst, health: "")
            expectEqual(try await ask(other), "unhealthy")
            #expect(frames.requests.value.first?[first: ":path"] == "/grpc.health.v1.Health/Watch")
            await other.close()
            try await frames.stop()
        }
    }

    @Test(
        "a server that welcomes everybody and hangs up, or says farewell, isn't connected to without end",
        arguments: [true, false])
    func slowsDown(saysFarewell: Bool) async throws {
        try await withTemporaryFolder { folder in
            let frames = FrameServer { frame, connection in
                guard frame.kind == .settings else { return }
                if saysFarewell { connection.send(.goAway(last: 0)) }
                connection.close()
            }
            try await frames.start(folder + "/f")
            let server = try await server(folder + "/a", "a")
            let channel = channel([.path(folder + "/f"), .path(folder + "/a")], .roundRobin)
            // Until the other is connected to, a call may meet this one twice, and is made no third time.
            while try await status(of: { try await ask(channel, wait: true) }) != nil {}
            let end = ContinuousClock.now.advanced(by: .milliseconds(400))
            while .now < end { expectEqual(try await ask(channel, wait: true), "a") }
            // At once, and after 50, 100 and 200 ms.
            #expect((1...8).contains(frames.accepted.value))
            await channel.close()
            await server.shutDown()
            try await frames.stop()
        }
    }

    @Test("a connection that its server ends for want of calls is made again when there is one, and not before")
    func letsIdleGo() async throws {
        try await withTemporaryFolder { folder in
            let frames = FrameServer { frame, connection in
                if frame.endsStream {
                    connection.send(Frame.answer(frame.stream, "here"))
                    connection.send(.goAway(last: frame.stream))
                }
            }
            try await frames.start(folder + "/f")
            let channel = channel([.path(folder + "/f"), .path(folder + "/none")], .pickFirst)
            for round in 1...3 {
                expectEqual(try await ask(channel), "here")
                try await eventually("the connection is closed") { frames.closed.value == round }
                try await Task.sleep(for: .milliseconds(20))
                #expect(frames.accepted.value == round)
            }
            await channel.close()
            try await frames.stop()
        }
    }

    @Test("a server that takes a question about its health and doesn't answer it is taken not to serve, until it does")
    func mindsSilence() async throws {
        try await withTemporaryFolder { folder in
            let frames = FrameServer { frame, connection in
                if frame.endsStream, frame.stream > 1 { connection.send(Frame.answer(frame.stream, "late")) }
            }
            try await frames.start(folder + "/f")
            var limits = ClientLimits()
            limits.handshakeTimeout = .milliseconds(300)
            let channel = RPCChannel(
                targets: [.path(folder + "/f")], name: "neighbour", healthCheckedService: "", limits: limits,
                group: testGroup, logger: testLogger)
            expectEqual(try await status { try await ask(channel) }?.reason, "NEIGHBOUR_NOT_SERVING")
            async let answer = ask(channel, wait: true)
            let serving: [UInt8] = [0, 0, 0, 0, 2, 8, 1]
            try await frames.push(.responseHeaders(1), .data(1, serving))
            #expect(try await answer == "late")
            await channel.close()
            try await frames.stop()
        }
    }

    @Test("a server that restarts has as long to come up again as any, however short it was up before")
    func hasItsTime() async throws {
        try await withTemporaryFolder { folder in
            let frames = FrameServer(greets: false) { frame, connection in
                if frame.kind == .settings, frame.flags & Frame.acknowledgement == 0, connection.number == 0 {
                    connection.send(.settings(), .settingsAcknowledged)
                }
                guard frame.endsStream else { return }
                switch (connection.number, frame.stream) {
                // It knows nothing of health.
                case (_, 1): connection.send(.trailersOnly(1, 12))
                case (0, 5): connection.close()
                default: connection.send(Frame.answer(frame.stream, "first"))
                }
            }
            try await frames.start(folder + "/f")
            let server = try await server(folder + "/a", "a")
            let channel = channel([.path(folder + "/f"), .path(folder + "/a")], .pickFirst, health: "")
            expectEqual(try await ask(channel), "first")
            let patience = TargetStates<ClientConnection>.patience
            let due = ContinuousClock.now.advanced(by: patience)
            try await Task.sleep(until: due.advanced(by: .milliseconds(-50)))
            let lost = ContinuousClock.now
            async let answer = ask(channel)
            // The time of the first connection is over, that of the second isn't.
            try await Task.sleep(until: due.advanced(by: .milliseconds(20)))
            try await frames.push(on: 1, .settings(), .settingsAcknowledged)
            let name = try await answer
            // On a busy machine the time of the second may be over, too.
            #expect(name == "first" || .now > lost.advanced(by: patience))
            await channel.close()
            await server.shutDown()
            try await frames.stop()
        }
    }

    @Test("a server that takes one call at a time isn't asked for its health, which would leave room for none")
    func leavesRoom() async throws {
        try await withTemporaryFolder { folder in
            let frames = FrameServer(greets: false) { frame, connection in
                if frame.kind == .settings, frame.flags & Frame.acknowledgement == 0 {
                    connection.send(.settings([(3, 1)]), .settingsAcknowledged)
                }
                if frame.endsStream { connection.send(Frame.answer(frame.stream, "room")) }
            }
            try await frames.start(folder + "/f")
            let channel = channel([.path(folder + "/f")], .pickFirst, health: "")
            expectEqual(try await ask(channel), "room")
            #expect(frames.requests.value.count == 1)
            await channel.close()
            try await frames.stop()
        }
    }

    @Test("an abstract name is a target like any other")
    func connectsToAbstract() async throws {
        let name = "rpc-test-\(UInt32.random(in: 0 ... .max))"
        let frames = FrameServer { frame, connection in
            if frame.endsStream { connection.send(Frame.answer(frame.stream, "abstract")) }
        }
        let channel = channel([try RPCTarget("unix-abstract:" + name)], .pickFirst)
        expectEqual(try await status { try await ask(channel) }?.reason, "NEIGHBOUR_UNAVAILABLE")
        try await frames.start(abstract: name)
        expectEqual(try await ask(channel, wait: true), "abstract")
        await channel.close()
        try await frames.stop()
    }
}
