internal import Glibc
public import Logging
internal import NIOCore
public import NIOPosix
internal import Synchronization

/// The kernel's `struct ucred` (socket(7), SO_PEERCRED), which glibc's header shows to C with GNU extensions alone.
private struct PeerCredentials: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
}

/// Serves methods on a Unix socket to any gRPC client.
public final class RPCServer: Sendable {
    /// A server is started once and stopped once.
    private enum State {
        case idle
        case starting
        case serving(binder: ServerSocketBinder, listener: any Channel)
        case stopped
    }

    private let context: ServerContext
    private let health: HealthService
    private let group: MultiThreadedEventLoopGroup
    private let state = Mutex(State.idle)
    private let stopped: EventLoopPromise<Void>
    private let acceptPause: AcceptPause
    private static let startedTwice = RPCError(.internal, "a server can be started once")

    /// - Parameters:
    ///   - interceptors: run around every call that reaches a handler, health checks included.
    ///   - health: served beside `handlers`, as `grpc.health.v1.Health`.
    ///   - group: the event loops that connections are spread over; it must outlive the server.
    public init(
        configuration: Configuration, handlers: [MethodHandler], interceptors: [any ServerInterceptor] = [],
        health: HealthService, logger: Logger, group: MultiThreadedEventLoopGroup
    ) {
        self.context = ServerContext(
            configuration: configuration, methods: MethodTable(health.handlers + handlers),
            interceptors: interceptors, logger: logger)
        self.health = health
        self.group = group
        acceptPause = AcceptPause { errorNumber, omitted in
            var metadata: Logger.Metadata = ["reason": "\(String(cString: strerror(errorNumber)))"]
            if omitted > 0 { metadata["omitted_before"] = "\(omitted)" }
            logger.warning("accepting paused", metadata: metadata)
        }
        stopped = group.next().makePromise(of: Void.self)
    }

    deinit {
        // A promise must not be dropped; when `shutDown` has succeeded it already, this changes nothing.
        if case .stopped = state.withLock({ $0 }) { return }
        stopped.succeed()
    }

    /// Binds the socket and begins to serve; connections are accepted when it returns.
    ///
    /// - Throws: an error that says which address and why when the socket can't be bound.
    public func start() async throws {
        let mayStart = state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        guard mayStart else { throw RPCServer.startedTwice }
        BrokenPipe.ignore
        let binder: ServerSocketBinder
        let listener: any Channel
        do {
            (binder, listener) = try await listen()
        } catch {
            failedToStart()
            throw error
        }
        let isServing = state.withLock { state in
            guard case .starting = state else { return false }
            state = .serving(binder: binder, listener: listener)
            return true
        }
        guard !isServing else { return }
        // It was shut down while it started.
        binder.release()
        try? await listener.close()
        stopped.succeed()
        throw RPCError(.cancelled, "the server was shut down while it started")
    }

    /// What it has done since it was made, and what it does now.
    public var statistics: ServerStatistics {
        var statistics = context.counters.snapshot
        context.connections.complete(&statistics)
        statistics.acceptPauses = acceptPause.count
        return statistics
    }

    /// It may be started again, unless it was shut down meanwhile.
    private func failedToStart() {
        let wasShutDown = state.withLock { state in
            if case .starting = state {
                state = .idle
                return false
            }
            return true
        }
        if wasShutDown { stopped.succeed() }
    }

    private func listen() async throws -> (ServerSocketBinder, any Channel) {
        let configuration = context.configuration
        let binder = try ServerSocketBinder(
            configuration.address, mode: configuration.socketMode, backlog: configuration.backlog)
        let context = context
        let acceptPause = acceptPause
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelInitializer { listener in
                listener.eventLoop.makeCompletedFuture {
                    try listener.pipeline.syncOperations.addHandler(acceptPause, position: .first)
                }
            }
            // One at a time: whoever makes connections without end must not keep the loop from those it has.
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            // One read, of 64 KiB at most, before the loop looks at its other connections.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 128 * 1024, high: 512 * 1024))
            .childChannelInitializer { channel in RPCServer.prepare(channel, context) }
        do {
            let listener = try await bootstrap.withBoundSocket(binder.descriptor).get()
            // NIO has listened again, with a backlog of its own.
            binder.listen(backlog: configuration.backlog)
            return (binder, listener)
        } catch {
            binder.release()
            throw error
        }
    }

    /// Reads the peer's credentials and puts the connection's handler in place. An unwanted peer is closed by the
    /// handler, once the channel is active.
    private static func prepare(_ channel: any Channel, _ context: ServerContext) -> EventLoopFuture<Void> {
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let credentials: EventLoopFuture<PeerCredentials> = options.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        return credentials.flatMapThrowing { credentials in
            let peer = Peer(uid: credentials.uid, gid: credentials.gid, pid: credentials.pid)
            try channel.pipeline.syncOperations.addHandler(
                ServerConnection(context: context, peer: peer, eventLoop: channel.eventLoop))
        }
    }

    /// Serves until the task is cancelled or ``shutDown()`` is called, then drains. Starts the server if need be.
    ///
    /// - Throws: as ``start()``; also while somebody else starts it, because that may fail, and then nothing is served.
    public func run() async throws {
        switch state.withLock({ $0 }) {
        case .idle: try await start()
        case .starting: throw RPCServer.startedTwice
        case .serving, .stopped: break
        }
        try await withTaskCancellationHandler {
            try await stopped.futureResult.get()
        } onCancel: {
            // The task that waits is cancelled, so the shutdown needs one of its own; `stopped` ends the wait.
            Task { await self.shutDown() }
        }
    }

    /// Stops accepting, lets the calls in flight finish for the drain timeout, cancels the rest, and closes.
    ///
    /// Called again, it waits for the first call to be done.
    public func shutDown() async {
        let serving = state.withLock { state -> (ServerSocketBinder, any Channel)? in
            defer { state = .stopped }
            if case .serving(let binder, let listener) = state { return (binder, listener) }
            if case .idle = state { stopped.succeed() }
            return nil
        }
        guard let (binder, listener) = serving else {
            _ = try? await stopped.futureResult.get()
            return
        }
        // The path goes first: a successor may bind it while this one drains.
        binder.release()
        try? await listener.close()
        await drain()
        stopped.succeed()
    }

    private func drain() async {
        let configuration = context.configuration
        health.shutDown()
        let connections = context.connections.drain()
        for connection in connections { connection.executor.perform { connection.stop() } }
        let eventLoop = group.next()
        await context.connections.waitUntilEmpty(for: configuration.drainTimeout, on: eventLoop)
        for connection in connections { connection.executor.perform { connection.cancelCalls() } }
        await context.connections.waitUntilEmpty(for: configuration.cancelTimeout, on: eventLoop)
        for connection in connections { connection.executor.perform { connection.close() } }
        await context.connections.waitUntilEmpty(for: configuration.cancelTimeout, on: eventLoop)
    }
}
