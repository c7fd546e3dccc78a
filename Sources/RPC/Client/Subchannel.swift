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
        let times: ConnectionTimes

        /// What calls are told that can't reach the server.
        var unreachable: RPCError {
            RPCError(.unavailable, "\(name) is not reachable", reason: "NEIGHBOUR_UNAVAILABLE")
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
        link = Mutex(ChannelLink(maxWaiters: common.limits.maxWaitingCalls))
    }

    deinit {
        if case .ready(let connection) = link.withLock({ $0.phase }) {
            connection.executor.perform { connection.close() }
        }
    }

    func onLoss(_ listener: @escaping @Sendable (ClientConnection, _ wasIdle: Bool) -> Void) {
        self.listener.withLock { $0 = listener }
    }

    /// Resumes the waiter with the connection there is, or the next one.
    func want(_ key: WaitKey, _ waiter: ConnectionWaiter) {
        switch link.withLock({ $0.want(ObjectIdentifier(key), waiter, at: .now) }) {
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
        link.withLock { $0.remove(ObjectIdentifier(key)) }?.resume(.failure(error))
    }

    /// Ends the connection and the calls on it. Returns when it is closed; there will be none after it.
    func close() async {
        let (connection, waiters) = link.withLock { $0.close() }
        for waiter in waiters { waiter.resume(.failure(common.unreachable)) }
        guard let connection else { return }
        await withUnsafeContinuation { continuation in
            connection.executor.perform { connection.close { continuation.resume() } }
        }
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
                            owner: self, limits: self.common.limits, times: self.common.times,
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
    func connectionBegan(_ connection: ClientConnection) {
        guard let waiters = link.withLock({ $0.connected(connection) }) else { return connection.close() }
        for waiter in waiters { waiter.resume(.success(connection)) }
    }

    func connectionConfirmed(_ connection: ClientConnection) {
        link.withLock { $0.confirmed() }
    }

    /// It takes no more calls.
    func connectionDrains(_ connection: ClientConnection, wasIdle: Bool = false) {
        lost(connection, wasConfirmed: true, wasIdle: wasIdle)
    }

    func connectionEnded(_ connection: ClientConnection) {
        lost(connection, wasConfirmed: connection.hasSettings, wasIdle: false)
    }

    private func lost(_ connection: ClientConnection, wasConfirmed: Bool, wasIdle: Bool) {
        let isNews = link.withLock {
            $0.lost(connection, wasConfirmed: wasConfirmed, at: .now, chance: .random(in: 0..<1))
        }
        if isNews { listener.withLock { $0 }?(connection, wasIdle) }
    }
}
