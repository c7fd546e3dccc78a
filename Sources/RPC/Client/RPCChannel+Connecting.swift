internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension RPCChannel {
    /// Names one wait, so that it can be called off before it has begun.
    final class WaitKey: Sendable {
        fileprivate let isCancelled = Mutex(false)
    }

    /// The connection there is, or the next one.
    ///
    /// - Parameter key: names the wait to whoever may call it off.
    func connection(
        for options: CallOptions, _ key: @autoclosure () -> WaitKey = WaitKey()
    ) async throws(RPCError) -> ClientConnection {
        if case .ready(let connection) = link.withLock({ $0.phase }) { return connection }
        let key = key()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { wait(key, options, $0) }
        } onCancel: {
            callOff(key)
        }
        return try result.get()
    }

    /// The call that waits no longer wants to.
    func callOff(_ key: WaitKey) {
        key.isCancelled.withLock { $0 = true }
        giveUp(key, RPCError(.cancelled, "the call was cancelled"))
    }

    private func wait(
        _ key: WaitKey, _ options: CallOptions,
        _ continuation: UnsafeContinuation<Result<ClientConnection, RPCError>, Never>
    ) {
        let timer = options.deadline.map { deadline in
            group.any().scheduleTask(deadline: NIODeadline(at: deadline)) { [weak self] in
                self?.giveUp(key, RPCError(.deadlineExceeded, "the deadline passed before the server was reachable"))
            } as Scheduled<Void>
        }
        let waiter = ConnectionWaiter(
            waitsForReady: options.waitForReady, continuation: continuation, timer: timer)
        switch link.withLock({ $0.want(ObjectIdentifier(key), waiter, at: .now) }) {
        case .use(let connection): waiter.resume(.success(connection))
        case .connect: connect()
        case .connectLater(let delay): retry(after: delay)
        case .wait: break
        case .refuse: waiter.resume(.failure(unreachable))
        case .refuseAsTooMany:
            waiter.resume(.failure(RPCError(.resourceExhausted, "too many calls wait for \(name)")))
        }
        // Cancelled before it was among the waiters: nobody else will say so.
        if key.isCancelled.withLock({ $0 }) { giveUp(key, RPCError(.cancelled, "the call was cancelled")) }
    }

    private func giveUp(_ key: WaitKey, _ error: RPCError) {
        link.withLock { $0.remove(ObjectIdentifier(key)) }?.resume(.failure(error))
    }

    private func connect() {
        BrokenPipe.ignore
        // A call from a handler gets a connection on the handler's own loop.
        ClientBootstrap(group: group.any())
            .connectTimeout(.seconds(2))
            .channelOption(.writeBufferWaterMark, value: .init(low: 128 * 1024, high: 512 * 1024))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ClientConnection(
                            owner: self, limits: self.limits, unreachable: self.unreachable,
                            eventLoop: channel.eventLoop))
                }
            }
            .connect(unixDomainSocketPath: socketPath)
            .whenFailure { error in self.connectingFailed(error) }
    }

    private func connectingFailed(_ error: any Error) {
        logger.debug("connecting failed", metadata: ["neighbour": "\(name)", "error_type": "\(type(of: error))"])
        let (refused, delay) = link.withLock { $0.failed(at: .now, chance: .random(in: 0..<1)) }
        for waiter in refused { waiter.resume(.failure(unreachable)) }
        if let delay { retry(after: delay) }
    }

    private func retry(after delay: Duration) {
        group.any().scheduleTask(in: TimeAmount(delay)) { [weak self] in
            guard let self, self.link.withLock({ $0.retryDue() }) else { return }
            self.connect()
        }
    }

    // MARK: What the connection reports, on its event loop

    func connectionBegan(_ connection: ClientConnection) {
        guard let waiters = link.withLock({ $0.connected(connection) }) else { return connection.close() }
        for waiter in waiters { waiter.resume(.success(connection)) }
    }

    func connectionConfirmed(_ connection: ClientConnection) {
        link.withLock { $0.confirmed() }
    }

    func connectionDrains(_ connection: ClientConnection) {
        link.withLock { $0.lost(connection, wasConfirmed: true, at: .now, chance: 0) }
    }

    func connectionEnded(_ connection: ClientConnection) {
        let wasConfirmed = connection.hasSettings
        link.withLock { $0.lost(connection, wasConfirmed: wasConfirmed, at: .now, chance: .random(in: 0..<1)) }
    }
}
