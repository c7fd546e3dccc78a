internal import NIOCore

/// Someone who waits for a connection.
final class ConnectionWaiter: Sendable {
    enum Resumption: Sendable {
        case task(UnsafeContinuation<Result<ClientConnection, RPCError>, Never>)
        case function(@Sendable (Result<ClientConnection, RPCError>) -> Void)
    }

    let waitsForReady: Bool
    private let resumption: Resumption
    private let timer: Scheduled<Void>?

    init(waitsForReady: Bool, _ resumption: Resumption, timer: Scheduled<Void>?) {
        self.waitsForReady = waitsForReady
        self.resumption = resumption
        self.timer = timer
    }

    /// Whoever took the waiter out of where it waits calls it, once.
    func resume(_ result: Result<ClientConnection, RPCError>) {
        timer?.cancel()
        switch resumption {
        case .task(let continuation): continuation.resume(returning: result)
        case .function(let function): function(result)
        }
    }
}

/// What a channel has in the way of a connection. Free of I/O: each event says what must be done about it.
struct ChannelLink {
    enum Phase {
        case idle
        case connecting
        case ready(ClientConnection)
        case closed
    }

    /// What must be done about a call that wants a connection.
    enum Wanting {
        case use(ClientConnection)
        case connect
        /// Connect when that time has passed.
        case connectLater(Duration)
        case wait
        case refuse
        case refuseAsTooMany
    }

    let maxWaiters: Int
    private(set) var phase = Phase.idle
    private var backoff = ReconnectBackoff()
    private var waiters: [ObjectIdentifier: ConnectionWaiter] = [:]
    private var isRetryScheduled = false

    init(maxWaiters: Int) {
        self.maxWaiters = maxWaiters
    }

    /// A call wants a connection. For `connect`, `connectLater` and `wait`, it is among the waiters from now on.
    mutating func want(_ key: ObjectIdentifier, _ waiter: ConnectionWaiter, at now: ContinuousClock.Instant) -> Wanting
    {
        switch phase {
        case .ready(let connection): return .use(connection)
        case .closed: return .refuse
        case .idle, .connecting: break
        }
        guard waiters.count < maxWaiters else { return .refuseAsTooMany }
        if case .connecting = phase {
            waiters[key] = waiter
            return .wait
        }
        guard let delay = backoff.wait(at: now) else {
            waiters[key] = waiter
            phase = .connecting
            return .connect
        }
        guard waiter.waitsForReady else { return .refuse }
        waiters[key] = waiter
        if isRetryScheduled { return .wait }
        isRetryScheduled = true
        return .connectLater(delay)
    }

    /// The time for another attempt has come; true when there is one to be made.
    mutating func retryDue() -> Bool {
        isRetryScheduled = false
        guard case .idle = phase, !waiters.isEmpty else { return false }
        phase = .connecting
        return true
    }

    /// A connection is there: who waited for it, or nil when the channel was closed meanwhile.
    mutating func connected(_ connection: ClientConnection) -> [ConnectionWaiter]? {
        if case .closed = phase { return nil }
        phase = .ready(connection)
        defer { waiters = [:] }
        return Array(waiters.values)
    }

    /// The attempt failed: whose calls fail with it, and when to try again for those that go on waiting.
    mutating func failed(at now: ContinuousClock.Instant, chance: Double) -> (
        refused: [ConnectionWaiter], retry: Duration?
    ) {
        guard case .connecting = phase else { return ([], nil) }
        phase = .idle
        backoff.failed(at: now, chance: chance)
        let refused = waiters.filter { !$0.value.waitsForReady }
        waiters = waiters.filter { $0.value.waitsForReady }
        guard !waiters.isEmpty, !isRetryScheduled else { return (Array(refused.values), nil) }
        isRetryScheduled = true
        return (Array(refused.values), backoff.wait(at: now) ?? .zero)
    }

    /// The server has spoken: the connection is good.
    mutating func confirmed() {
        backoff.succeeded()
    }

    /// The connection takes no more calls. One that ended before the server spoke counts as a failed attempt. False when
    /// it was given up before.
    mutating func lost(
        _ connection: ClientConnection, wasConfirmed: Bool, at now: ContinuousClock.Instant, chance: Double
    ) -> Bool {
        guard case .ready(let current) = phase, current === connection else { return false }
        phase = .idle
        if !wasConfirmed { backoff.failed(at: now, chance: chance) }
        return true
    }

    /// The call no longer waits; nil when it was resumed already.
    mutating func remove(_ key: ObjectIdentifier) -> ConnectionWaiter? {
        waiters.removeValue(forKey: key)
    }

    /// No more connections: the one there is, and who waits.
    mutating func close() -> (ClientConnection?, [ConnectionWaiter]) {
        defer {
            phase = .closed
            waiters = [:]
        }
        if case .ready(let connection) = phase { return (connection, Array(waiters.values)) }
        return (nil, Array(waiters.values))
    }
}
