import Logging
import NIOCore
import Testing

@testable import RPC

@Suite("What a client's connection does by the clock", .timeLimit(.minutes(1)))
struct ClientTimersTests {
    private func withChannel(
        greets: Bool = true, _ make: (_ targets: [RPCTarget]) -> RPCChannel, _ script: @escaping FrameServer.Script,
        _ body: (_ channel: RPCChannel, _ server: FrameServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let server = FrameServer(greets: greets, script: script)
            try await server.start(folder + "/s")
            let channel = make([.path(folder + "/s")])
            try await body(channel, server)
            await channel.close()
            try await server.stop()
        }
    }

    private func channel(
        _ targets: [RPCTarget], keepalive: Duration? = nil, timeout: Duration = .seconds(20), maxIdle: Duration? = nil,
        limits: ClientLimits = ClientLimits()
    ) -> RPCChannel {
        RPCChannel(
            targets: targets, name: "neighbour", keepaliveInterval: keepalive, keepaliveTimeout: timeout,
            maxIdle: maxIdle, limits: limits, group: testGroup, logger: testLogger)
    }

    @Test("a silence counts from a look that found calls, so that a call just begun has nobody asked")
    func countsSilence() {
        var timers = ClientTimers()
        for hasCalls in [false, false, true] { expectEqual(timers.isSilent(hasCalls: hasCalls), false) }
        expectEqual(timers.isSilent(hasCalls: true), true)
        timers.hasRead = true
        expectEqual(timers.isSilent(hasCalls: true), false)
        expectEqual(timers.isSilent(hasCalls: true), true)
        expectEqual(timers.isSilent(hasCalls: false), false)
    }

    @Test("a silent server is asked while a call is open, and keeps the connection by answering")
    func asks() async throws {
        try await withChannel {
            // The next question doesn't wait for the time that an answer may take.
            channel($0, keepalive: .milliseconds(20), timeout: .seconds(60))
        } _: { frame, connection in
            if frame.kind == .ping { connection.send(.ping(flags: Frame.acknowledgement)) }
        } _: { channel, server in
            let call = Task { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            try await eventually("it is asked again and again") { server.count(.ping) >= 5 }
            try await server.push(
                .responseHeaders(1), .data(1, framed("alive")), .trailers(1))
            #expect(try await call.value.service == "alive")
            #expect(server.closed.value == 0)
        }
    }

    @Test("a server that doesn't answer loses the connection, and the call fails")
    func givesUp() async throws {
        try await withChannel {
            channel($0, keepalive: .milliseconds(20), timeout: .milliseconds(50))
        } _: { _, _ in
        } _: { channel, server in
            let status = try await status {
                try await channel.unary(.test("Write"), Text(), options: .init(), as: Text.self)
            }
            #expect(status?.reason == "NEIGHBOUR_UNAVAILABLE")
            try await eventually("the connection is closed") { server.closed.value == 1 }
            #expect(server.count(.ping) == 1)
        }
    }

    @Test("a server that has had enough of pings gets half as many on the next connection, and calls go on there")
    func asksLessOften() async throws {
        let interval = Duration.milliseconds(50)
        let began = Shared<[ContinuousClock.Instant]>([])
        let asked = Shared<[Duration]>([])
        let answers = Shared(false)
        let warnings = Shared<[String]>([])
        try await withChannel { targets in
            RPCChannel(
                targets: targets, name: "neighbour", keepaliveInterval: interval, group: testGroup,
                logger: Logger(label: "test") { _ in KeepingLog(warnings, from: .warning) })
        } _: { frame, connection in
            if frame.kind == .settings, frame.flags & Frame.acknowledgement == 0 {
                began.update { $0.append(.now) }
            } else if frame.kind == .ping {
                if let start = began.value.last { asked.update { $0.append(.now - start) } }
                connection.send(.goAway(last: 1, code: 0xB, "too_many_pings"))
                connection.close()
            } else if frame.endsStream, answers.value {
                connection.send(Frame.answer(frame.stream, "at last"))
            }
        } _: { channel, server in
            for round in 1...3 {
                let status = try await status {
                    try await channel.unary(.test("Write"), Text(), options: .init(waitForReady: true), as: Text.self)
                }
                #expect(status?.code == .unavailable)
                #expect(status?.message == "neighbour has ended the connection: too many pings")
                #expect(channel.common.keepalive.current == interval * (1 << round))
            }
            #expect(warnings.value.count == 3)
            // The first connection may ask after 50 ms, the next after 100, the third after 200.
            #expect(asked.value.count == 3)
            for (round, after) in asked.value.enumerated() { #expect(after >= interval * (1 << round) * 9 / 10) }
            answers.update { $0 = true }
            let response: Text = try await channel.unary(.echo, Text(), options: .init(waitForReady: true))
            #expect(response.service == "at last")
        }
    }

    @Test("the time between pings is doubled by those who were asked that often, and not without end")
    func lengthensInterval() {
        let interval = KeepaliveInterval(.seconds(10))
        #expect(interval.lengthen(from: .seconds(10)) == .seconds(20))
        // Another connection of the same time, which has seen nothing of it.
        #expect(interval.lengthen(from: .seconds(10)) == .seconds(20))
        for _ in 0..<100 { _ = interval.lengthen(from: interval.current) }
        #expect(interval.current == KeepaliveInterval.longest)
        #expect(KeepaliveInterval(.seconds(100_000)).lengthen(from: .seconds(100_000)) == .seconds(100_000))
        #expect(KeepaliveInterval(nil).lengthen(from: nil) == nil)
    }

    @Test("a server isn't asked without calls, and a connection without calls goes when its time is over")
    func goesWhenIdle() async throws {
        try await withChannel {
            channel($0, keepalive: .milliseconds(10), timeout: .milliseconds(50), maxIdle: .milliseconds(100))
        } _: { frame, connection in
            if frame.endsStream { connection.send(Frame.answer(frame.stream, "hello")) }
        } _: { channel, server in
            for round in 1...2 {
                let start = ContinuousClock.now
                let _: Text = try await channel.unary(.echo, Text(), options: .init())
                let asked = server.count(.ping)
                try await eventually("the connection is closed") { server.closed.value == round }
                #expect(ContinuousClock.now - start >= .milliseconds(100))
                #expect(server.accepted.value == round)
                // While the call was open, on a busy machine, it may rightly have been asked, and the last of that be on
                // its way; in the time without calls it would be asked nine times.
                #expect(server.count(.ping) - asked <= 1)
            }
        }
    }

    @Test("connections that go for want of calls don't make a server unreachable that was slow to answer on them")
    func staysReachable() async throws {
        try await withChannel {
            channel($0, maxIdle: .milliseconds(20))
        } _: { frame, connection in
            if frame.endsStream, connection.number == 5 { connection.send(Frame.answer(frame.stream, "at last")) }
        } _: { channel, server in
            for round in 1...5 {
                let late = try await status {
                    try await channel.unary(.echo, Text(), options: .init(timeout: .milliseconds(20)), as: Text.self)
                }
                try #require(late?.code == .deadlineExceeded)
                try await eventually("the connection is closed") { server.closed.value == round }
            }
            let answer: Text = try await channel.unary(.echo, Text(), options: .init())
            #expect(answer.service == "at last")
        }
    }

    @Test("an open stream keeps its connection however long it is silent")
    func staysWithStreams() async throws {
        try await withChannel {
            channel($0, maxIdle: .milliseconds(20))
        } _: { frame, connection in
            if frame.endsStream { connection.send(.responseHeaders(frame.stream), .data(frame.stream, framed("one"))) }
        } _: { channel, server in
            let stream: ResponseStream<Text> = channel.serverStreaming(.count, Text(), options: .init())
            var iterator = stream.makeAsyncIterator()
            expectEqual(try await iterator.next()?.service, "one")
            try await Task.sleep(for: .milliseconds(100))
            try await server.push(.data(1, framed("two")))
            expectEqual(try await iterator.next()?.service, "two")
            #expect(server.closed.value == 0)
        }
    }

    @Test("a server that accepts and says nothing is left after the time for a handshake; a deadline comes first")
    func leavesSilentServers() async throws {
        try await withChannel(greets: false) {
            var limits = ClientLimits()
            limits.handshakeTimeout = .milliseconds(200)
            return channel($0, limits: limits)
        } _: { _, _ in
        } _: { channel, server in
            let late = try await status {
                try await channel.unary(.echo, Text(), options: .init(timeout: .milliseconds(50)), as: Text.self)
            }
            #expect(late?.code == .deadlineExceeded)
            let left = try await status {
                try await channel.unary(.test("Write"), Text(), options: .init(), as: Text.self)
            }
            #expect(left?.reason == "NEIGHBOUR_UNAVAILABLE")
            try await eventually("the connection is closed") { server.closed.value >= 1 }
        }
    }
}
