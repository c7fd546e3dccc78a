import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import RPC

@Suite("When a server counts as reached", .timeLimit(.minutes(1)))
struct ReadinessTests {
    private static let writes = MethodDescriptor.test("Write")

    private func ask(_ channel: RPCChannel, key: String? = nil, _ options: CallOptions) async throws -> String {
        var options = options
        options.routingKey = key
        let response: Text = try await channel.unary(Self.writes, Text(), options: options)
        return response.service
    }

    @Test(
        "a target at which nobody accepts takes no calls from the one that answers",
        arguments: [PickPolicy.pickFirst, .roundRobin, .byKey])
    func passesOverDeafTargets(policy: PickPolicy) async throws {
        try await withTemporaryFolder { folder in
            let deaf = try DeafSocket(folder + "/deaf")
            let server = FrameServer { frame, connection in
                if frame.endsStream { connection.send(Frame.answer(frame.stream, "heard")) }
            }
            try await server.start(folder + "/s")
            let channel = RPCChannel(
                targets: [.path(folder + "/deaf"), .path(folder + "/s")], policy: policy, name: "neighbour",
                group: testGroup, logger: testLogger)
            for number in 0..<20 {
                expectEqual(try await ask(channel, key: "\(number)", .init(timeout: .seconds(10))), "heard")
            }
            #expect(deaf.isAsked)
            expectEqual(channel.picker?.readyTargets, 1)
            await channel.close()
            try await server.stop()
        }
    }

    @Test("a call that waits for the server survives one that accepts and hangs up, and is made once")
    func survivesHangUps() async throws {
        try await withFrameServer(greets: false) { frame, connection in
            if connection.number < 3 { return connection.close() }
            if frame.kind == .settings, frame.flags & Frame.acknowledgement == 0 {
                connection.send(.settings(), .settingsAcknowledged)
            }
            if frame.endsStream { connection.send(Frame.answer(frame.stream, "at last")) }
        } _: { channel, server in
            expectEqual(try await ask(channel, .init(timeout: .seconds(20), waitForReady: true)), "at last")
            #expect(server.accepted.value == 4)
            #expect(server.requests.value.count == 1)
        }
    }

    @Test("a call that doesn't wait fails with it, and says that the server isn't reachable")
    func failsWithHangUps() async throws {
        try await withFrameServer(greets: false) { _, connection in
            connection.close()
        } _: { channel, _ in
            for _ in 0..<3 {
                let status = try await status { try await ask(channel, .init()) }
                #expect(status?.reason == "NEIGHBOUR_UNAVAILABLE")
            }
        }
    }

    @Test("nothing of a call is sent before the server's settings, and a shorter use of the connection ends nothing")
    func sendsNothingEarly() async throws {
        try await withTemporaryFolder { folder in
            let server = FrameServer(greets: false) { frame, connection in
                if frame.endsStream { connection.send(Frame.answer(frame.stream, "after")) }
            }
            try await server.start(folder + "/s")
            let channel = RPCChannel(
                targets: [.path(folder + "/s")], name: "neighbour", maxIdle: .milliseconds(10), group: testGroup,
                logger: testLogger)
            async let answer = ask(channel, .init(timeout: .seconds(20)))
            try await eventually("the client has said hello") { server.count(.settings) > 0 }
            try await Task.sleep(for: .milliseconds(50))
            #expect(server.requests.value.isEmpty)
            try await server.push(.settings(), .settingsAcknowledged)
            #expect(try await answer == "after")
            #expect(server.accepted.value == 1)
            await channel.close()
            try await server.stop()
        }
    }
}

@Suite("The end of a channel", .timeLimit(.minutes(1)))
struct ClosingTests {
    @Test("closing ends the calls that a connection had left after the server's farewell")
    func closesDraining() async throws {
        try await withFrameServer { frame, connection in
            guard frame.endsStream else { return }
            connection.send(.responseHeaders(1), .data(1, framed("one")), .goAway(last: 1))
        } _: { channel, server in
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var iterator = stream.makeAsyncIterator()
            expectEqual(try await iterator.next()?.service, "one")
            try await eventually("the connection is given up") {
                if case .idle = channel.single.link.withLock({ $0.phase }) { true } else { false }
            }
            await channel.close()
            #expect(channel.single.link.withLock { $0.openConnections.isEmpty })
            expectEqual(try await status { try await iterator.next() }?.code, .unavailable)
            try await eventually("the connection is closed") { server.closed.value == 1 }
        }
    }

    @Test("closing waits for a connection that is being made, however often it is asked for, and ends who waits for it")
    func closesConnecting() async throws {
        try await withFrameServer(greets: false) { _, _ in
        } _: { channel, server in
            async let outcome = status {
                try await channel.unary(.echo, Text(), options: .init(waitForReady: true), as: Text.self)
            }
            try await eventually("the client has said hello") { server.count(.settings) > 0 }
            async let other: Void = channel.close()
            await channel.close()
            #expect(channel.single.link.withLock { $0.openConnections.isEmpty })
            await other
            #expect(try await outcome?.code == .unavailable)
            try await eventually("the connection is closed") { server.closed.value == 1 }
        }
    }

    @Test("a channel that is let go of closes its connection, in a turn of its own", arguments: [true, false])
    func closesWhenLetGo(isReady: Bool) async throws {
        try await withTemporaryFolder { folder in
            let server = FrameServer(greets: isReady) { _, _ in }
            try await server.start(folder + "/s")
            var subchannel: Subchannel? = makeChannel(folder + "/s").single
            let waiter = ConnectionWaiter(waitsForReady: false, .function { _ in })
            subchannel?.want(waiter)
            try await eventually("there is a connection") {
                server.count(.settings) > 0
                    && subchannel?.link.withLock { link in
                        if case .ready = link.phase { isReady } else { !isReady }
                    } == true
            }
            let connection = try #require(subchannel?.link.withLock { $0.openConnections.first })
            let last = Shared(subchannel)
            subchannel = nil
            let wasOpen = try await connection.eventLoop.submit {
                last.update { $0 = nil }
                return connection.session != nil
            }.get()
            #expect(wasOpen)
            try await eventually("the connection is closed") { server.closed.value == 1 }
            try await server.stop()
        }
    }

    @Test("a channel that is let go of while a socket is being connected leaves no connection")
    func closesUnbegun() async throws {
        try await withTemporaryFolder { folder in
            let server = FrameServer { _, _ in }
            try await server.start(folder + "/s")
            let bootstrap = ClientBootstrap(group: testGroup).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let gone = makeChannel("/none")
                    let connection = ClientConnection(
                        owner: gone.single, limits: ClientLimits(), unreachable: gone.common.unreachable,
                        eventLoop: channel.eventLoop)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            let connected = try await bootstrap.connect(unixDomainSocketPath: folder + "/s").get()
            try await connected.closeFuture.get()
            try await server.stop()
        }
    }
}
