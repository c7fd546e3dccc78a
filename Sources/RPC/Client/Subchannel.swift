internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A channel's connection to one target: made when it is wanted, made again when it is lost.
final class Subchannel: Sendable {
    /// What all the subchannels of a channel have in common.
    struct Common: Sendable {
        /// What the server is called in errors.
        let name: String
        let group: MultiThreadedEventLoopGroup
        let logger: Logger
        let limits: ClientLimits
        /// Of every connection, apart from how often it asks for a sign of life.
        let times: ConnectionTimes
        let keepalive: KeepaliveInterval

        init(
            name: String, group: MultiThreadedEventLoopGroup, logger: Logger, limits: ClientLimits,
            times: ConnectionTimes
        ) {
            self.name = name
            self.group = group
            self.logger = logger
            self.limits = limits
            self.times = times
            keepalive = KeepaliveInterval(times.keepaliveInterval)
        }

        /// Of a connection that is made now.
        var currentTimes: ConnectionTimes {
            var times = times
            times.keepaliveInterval = keepalive.current
            return times
        }

        /// What calls are told that can't reach the server.
        var unreachable: RPCError {
            RPCError(.unavailable, "\(name) is not reachable", reason: "NEIGHBOUR_UNAVAILABLE")
        }

        /// What calls are told whose connection ends for them.
        var tooManyPings: RPCError {
            RPCError(
                .unavailable, "\(name) has ended the connection: too many pings", reason: "NEIGHBOUR_UNAVAILABLE")
        }
    }

    let target: RPCTarget
    let common: Common
    let link: Mutex<ChannelLink>
    /// Who is told that the connection is lost; set once, before it is used.
    private let listener = Mutex<(@Sendable (ClientConnection, _ wasIdle: Bool) -> Void)?>(nil)

    init(_ target: RPCTarget, _ common: Common) {
        self.target = target
        self.common = common
        link = Mutex(
            ChannelLink(
                maxWaiters: common.limits.maxWaitingCalls, longestBackoff: common.limits.longestBackoff))
    }

    deinit {
        Subchannel.close(link.withLock { $0.openConnections })
    }

    /// Closes them in turns of their own: whoever wants it may be called from within a connection's.
    private static func close(_ connections: [ClientConnection]) {
        for connection in connections { connection.eventLoop.execute { connection.close() } }
    }

    func onLoss(_ listener: @escaping @Sendable (ClientConnection, _ wasIdle: Bool) -> Void) {
        self.listener.withLock { $0 = listener }
    }

    /// Resumes the waiter with the connection there is, or the next one.
    func want(_ waiter: ConnectionWaiter) {
        switch link.withLock({ $0.want(waiter, at: .now) }) {
        case .use(let connection): waiter.resume(.success(connection))
        case .connect: connect()
        case .connectLater(let delay): retry(after: delay)
        case .wait: break
        case .refuse: waiter.resume(.failure(common.unreachable))
        case .refuseAsTooMany:
            waiter.resume(.failure(RPCError(.resourceExhausted, "too many calls wait for \(common.name)")))
        }
    }

    /// The waiter is told that, unless it has a connection by now.
    func giveUp(_ key: WaitKey, _ error: RPCError) {
        link.withLock { $0.remove(key) }?.resume(.failure(error))
    }

    /// Ends the connections and the calls on them, also those that only had their calls end. There will be none
    /// after them.
    func shut() {
        let (open, refused) = link.withLock { $0.close() }
        for waiter in refused { waiter.resume(.failure(common.unreachable)) }
        Subchannel.close(open)
    }

    /// As ``shut()``. Returns when all of them are closed.
    func close() async {
        shut()
        await withUnsafeContinuation { continuation in
            if !link.withLock({ $0.waitForEnd(continuation) }) { continuation.resume() }
        }
    }

    /// Something that a closed channel waits for is over.
    private func resumeClosers() {
        for closer in link.withLock({ $0.takeClosers() }) { closer.resume() }
    }
}

// MARK: - Connecting

extension Subchannel {
    private func connect() {
        BrokenPipe.ignore
        // A call from a handler gets a connection on the handler's own loop.
        let bootstrap = ClientBootstrap(group: common.group.any())
            .connectTimeout(.seconds(2))
            .channelOption(.writeBufferWaterMark, value: .init(low: 128 * 1024, high: 512 * 1024))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ClientConnection(
                            owner: self, limits: self.common.limits, times: self.common.currentTimes,
                            unreachable: self.common.unreachable, eventLoop: channel.eventLoop))
                }
            }
        switch target.address {
        case .path(let path):
            bootstrap.connect(unixDomainSocketPath: path).whenFailure { self.connectingFailed($0) }
        case .abstract(let name):
            do throws(AbstractSocket.Failure) {
                let descriptor = try AbstractSocket.connect(name)
                bootstrap.withConnectedSocket(descriptor).whenFailure { self.connectingFailed($0) }
            } catch {
                connectingFailed(error)
            }
        }
    }

    private func connectingFailed(_ error: any Error) {
        common.logger.debug(
            "connecting failed", metadata: ["neighbour": "\(common.name)", "error_type": "\(type(of: error))"])
        attemptFailed()
        resumeClosers()
    }

    private func attemptFailed() {
        let (refused, delay) = link.withLock { $0.failed(at: .now, chance: .random(in: 0..<1)) }
        for waiter in refused { waiter.resume(.failure(common.unreachable)) }
        if let delay { retry(after: delay) }
    }

    private func retry(after delay: Duration) {
        common.group.any().scheduleTask(in: TimeAmount(delay)) { [weak self] in
            guard let self, self.link.withLock({ $0.retryDue() }) else { return }
            self.connect()
        }
    }
}

// MARK: - What the connection reports, on its event loop

extension Subchannel {
    /// There is a socket; whether anybody is at its other end, the server's settings will say.
    func connectionBegan(_ connection: ClientConnection) {
        if !link.withLock({ $0.began(connection) }) { Subchannel.close([connection]) }
    }

    /// The server has sent its settings.
    func connectionReady(_ connection: ClientConnection) {
        let waiters = link.withLock { $0.connected(connection, at: .now) }
        for waiter in waiters { waiter.resume(.success(connection)) }
    }

    /// It takes no more calls.
    func connectionDrains(_ connection: ClientConnection, wasIdle: Bool = false) {
        lost(connection, wasIdle: wasIdle)
    }

    /// The server was asked for signs of life too often, once every so long.
    func connectionPingedTooOften(every used: Duration?) {
        let interval = common.keepalive.lengthen(from: used)
        common.logger.warning(
            "a server takes keepalive pings for an attack: the next connection sends fewer",
            metadata: [
                "neighbour": "\(common.name)",
                "keepalive_ms": "\(interval.map { String(Int64($0 / .milliseconds(1))) } ?? "none")",
            ])
    }

    func connectionEnded(_ connection: ClientConnection) {
        if connection.hasSettings {
            lost(connection, wasIdle: false)
        } else {
            common.logger.debug("a server said nothing", metadata: ["neighbour": "\(common.name)"])
            attemptFailed()
        }
        link.withLock { $0.ended(connection) }
        resumeClosers()
    }

    private func lost(_ connection: ClientConnection, wasIdle: Bool) {
        let isNews = link.withLock {
            $0.lost(
                connection, hasAnswered: connection.hasAnswered, wasUnused: connection.wasUnused, at: .now,
                chance: .random(in: 0..<1))
        }
        guard isNews else { return }
        listener.withLock { $0 }?(connection, wasIdle)
    }
}
