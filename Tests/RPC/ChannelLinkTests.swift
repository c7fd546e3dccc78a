import NIOPosix
import Testing

@testable import RPC

@Suite("What a channel has in the way of connections")
struct ChannelLinkTests {
    private let start = ContinuousClock.now

    private func makeConnection() -> ClientConnection {
        let channel = makeChannel("/none")
        return ClientConnection(
            owner: channel.single, limits: ClientLimits(), unreachable: channel.common.unreachable,
            eventLoop: testGroup.any())
    }

    /// A waiter that notes its name when it is resumed.
    private func waiter(_ name: String = "", waits: Bool = false, _ log: Shared<[String]> = Shared([]))
        -> ConnectionWaiter
    {
        ConnectionWaiter(waitsForReady: waits, .function { _ in log.update { $0.append(name) } })
    }

    /// What wanting a connection says.
    private func want(_ link: inout ChannelLink, waits: Bool = false, after: Duration = .zero) -> String {
        switch link.want(waiter(waits: waits), at: start.advanced(by: after)) {
        case .use: "use"
        case .connect: "connect"
        case .connectLater: "later"
        case .wait: "wait"
        case .refuse: "refuse"
        case .refuseAsTooMany: "too many"
        }
    }

    /// Who was resumed, once that is asked of those.
    private func names(_ waiters: [ConnectionWaiter], _ log: Shared<[String]>) -> [String] {
        log.update { $0 = [] }
        for waiter in waiters { waiter.resume(.failure(RPCError(.unavailable, ""))) }
        return log.value
    }

    private func lose(
        _ link: inout ChannelLink, _ connection: ClientConnection, hasAnswered: Bool, wasUnused: Bool = false,
        after: Duration = .zero
    ) -> Bool {
        link.lost(
            connection, hasAnswered: hasAnswered, wasUnused: wasUnused, at: start.advanced(by: after), chance: 0.5)
    }

    private func isReady(_ link: ChannelLink) -> Bool {
        if case .ready = link.phase { true } else { false }
    }

    @Test("calls wait until the server has sent its settings, and go in the order in which they came")
    func waitsForSettings() {
        var link = ChannelLink(maxWaiters: 10)
        let log = Shared<[String]>([])
        for number in 0..<10 { _ = link.want(waiter("\(number)", log), at: start) }
        expectEqual(want(&link), "too many")
        let connection = makeConnection()
        expectEqual(link.began(connection), true)
        #expect(!isReady(link))
        expectEqual(names(link.connected(connection, at: start), log), (0..<10).map(String.init))
        #expect(isReady(link))
        expectEqual(want(&link), "use")
    }

    @Test("a connection that ends before the settings is a failed attempt: calls that wait for the server stay")
    func survivesSilence() {
        var link = ChannelLink(maxWaiters: 10)
        let log = Shared<[String]>([])
        for (name, waits) in [("a", false), ("b", true), ("c", false)] {
            _ = link.want(waiter(name, waits: waits, log), at: start)
        }
        let connection = makeConnection()
        expectEqual(link.began(connection), true)
        let (refused, retry) = link.failed(at: start, chance: 0.5)
        link.ended(connection)
        expectEqual(names(refused, log), ["a", "c"])
        // At once the first time.
        #expect(retry == .zero)
        expectEqual(link.retryDue(), true)
        #expect(link.failed(at: start, chance: 0.5).retry == ReconnectBackoff.first)
        expectEqual(want(&link), "refuse")
        expectEqual(want(&link, waits: true), "wait")
    }

    @Test("a server that welcomes everybody and hangs up is connected to ever more slowly, until it is of use")
    func slowsDown() {
        var link = ChannelLink(maxWaiters: 10)
        var now = Duration.zero
        // Of the first loss nothing is made.
        for delay in [0, 0, 50, 100].map(Duration.milliseconds) {
            if delay > .zero {
                // The server is there: a call waits for the attempt, whether it waits for servers or not.
                expectEqual(want(&link, after: now), "later")
                now += delay - .milliseconds(1)
                expectEqual(want(&link, after: now), "wait")
                now += .milliseconds(1)
                expectEqual(link.retryDue(), true)
            } else {
                expectEqual(want(&link, after: now), "connect")
            }
            let connection = makeConnection()
            _ = link.began(connection)
            _ = link.connected(connection, at: start.advanced(by: now))
            expectEqual(lose(&link, connection, hasAnswered: false, after: now), true)
        }
        // Now it is gone.
        expectEqual(want(&link, after: now), "later")
        expectEqual(link.retryDue(), true)
        expectEqual(link.failed(at: start.advanced(by: now), chance: 0.5).refused.count, 1)
        expectEqual(want(&link, after: now), "refuse")
    }

    @Test("a connection that has answered a call, or lasted, is made again at once", arguments: [true, false])
    func goesOn(hasAnswered: Bool) {
        var link = ChannelLink(maxWaiters: 10)
        let lasted: Duration = hasAnswered ? .zero : ReconnectBackoff.probation
        for round in 0..<5 {
            let now = lasted * round
            expectEqual(want(&link, after: now), "connect")
            let connection = makeConnection()
            _ = link.began(connection)
            _ = link.connected(connection, at: start.advanced(by: now))
            expectEqual(lose(&link, connection, hasAnswered: hasAnswered, after: now + lasted), true)
        }
    }

    @Test("a connection that this side ended for want of calls is made again at once, and failures still count")
    func goesOnUnused() {
        var link = ChannelLink(maxWaiters: 10)
        for wasUnused in [true, true, true, false, true, false] {
            expectEqual(want(&link), "connect")
            let connection = makeConnection()
            _ = link.began(connection)
            _ = link.connected(connection, at: start)
            expectEqual(lose(&link, connection, hasAnswered: false, wasUnused: wasUnused), true)
        }
        expectEqual(want(&link), "later")
    }

    @Test("a call that no longer waits is not resumed with the others")
    func forgets() {
        var link = ChannelLink(maxWaiters: 10)
        let log = Shared<[String]>([])
        let waiters = ["a", "b", "c"].map { waiter($0, log) }
        for waiter in waiters { _ = link.want(waiter, at: start) }
        #expect(link.remove(waiters[1].key) === waiters[1])
        expectEqual(link.remove(waiters[1].key) == nil, true)
        expectEqual(names(link.connected(makeConnection(), at: start), log), ["a", "c"])
    }

    @Test("a channel is over when its last connection is down, also one that calls no longer go to")
    func closes() {
        var link = ChannelLink(maxWaiters: 10)
        let connections = [makeConnection(), makeConnection()]
        for connection in connections {
            expectEqual(want(&link), "connect")
            expectEqual(link.began(connection), true)
            _ = link.connected(connection, at: start)
            expectEqual(lose(&link, connection, hasAnswered: true), true)
            expectEqual(lose(&link, connection, hasAnswered: true), false)
        }
        expectEqual(want(&link), "connect")
        let (open, refused) = link.close()
        #expect(open.count == 2 && refused.count == 1)
        expectEqual(want(&link), "refuse")
        // The socket that was being connected may still become a connection: to be closed, and waited for.
        let late = makeConnection()
        expectEqual(link.began(late), false)
        for connection in connections + [late] {
            #expect(!link.isOver)
            link.ended(connection)
        }
        #expect(link.isOver)
    }

    @Test("a closed channel waits for an attempt that fails")
    func closesAttempting() {
        var link = ChannelLink(maxWaiters: 10)
        expectEqual(want(&link), "connect")
        _ = link.close()
        #expect(!link.isOver)
        #expect(link.failed(at: start, chance: 0).refused.isEmpty)
        #expect(link.isOver)
    }
}
