/// What a channel has in the way of connections to one target. Free of I/O: each event says what must be done about it.
///
/// ```
/// idle ─▶ connecting ─▶ ready
/// ```
/// A connection is ready once the server has sent its settings: the kernel connects to whatever listens, to a process
/// that is stopped too.
struct ChannelLink {
    enum Phase {
        case idle
        /// There is a socket or will be; the server has said nothing.
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
    private var backoff: ReconnectBackoff
    private var waiters = WaitingLine()
    private var isRetryScheduled = false
    /// Whether the last thing seen of the server was a connection that was ready: it can be reached, though another attempt
    /// may have to wait.
    private var wasReached = false
    /// When the connection that is ready became so.
    private var readySince: ContinuousClock.Instant?
    /// Whether a socket is being connected that is no connection so far.
    private var isAttempting = false
    /// Every connection that has begun and not ended, also one that only has its calls end.
    private var connections: [ObjectIdentifier: ClientConnection] = [:]
    /// Who waits for the end of them all.
    private var closers: [UnsafeContinuation<Void, Never>] = []

    init(maxWaiters: Int, longestBackoff: Duration = ReconnectBackoff.longest) {
        self.maxWaiters = maxWaiters
        backoff = ReconnectBackoff(longest: longestBackoff)
    }

    /// A call wants a connection. For `connect`, `connectLater` and `wait`, it is among the waiters from now on.
    mutating func want(_ waiter: ConnectionWaiter, at now: ContinuousClock.Instant) -> Wanting {
        switch phase {
        case .ready(let connection): return .use(connection)
        case .closed: return .refuse
        case .idle, .connecting: break
        }
        guard waiters.count < maxWaiters else { return .refuseAsTooMany }
        if case .connecting = phase {
            waiters.append(waiter)
            return .wait
        }
        guard let delay = backoff.wait(at: now) else {
            waiters.append(waiter)
            attempt()
            return .connect
        }
        guard waiter.waitsForReady || wasReached else { return .refuse }
        waiters.append(waiter)
        if isRetryScheduled { return .wait }
        isRetryScheduled = true
        return .connectLater(delay)
    }

    /// The time for another attempt has come; true when there is one to be made.
    mutating func retryDue() -> Bool {
        isRetryScheduled = false
        guard case .idle = phase, !waiters.isEmpty else { return false }
        attempt()
        return true
    }

    private mutating func attempt() {
        phase = .connecting
        isAttempting = true
    }

    /// The attempt has made a connection; false when the channel was closed meanwhile.
    mutating func began(_ connection: ClientConnection) -> Bool {
        isAttempting = false
        connections[ObjectIdentifier(connection)] = connection
        if case .closed = phase { return false }
        return true
    }

    /// The server has sent its settings: who waited for that.
    mutating func connected(_ connection: ClientConnection, at now: ContinuousClock.Instant) -> [ConnectionWaiter] {
        if case .closed = phase { return [] }
        phase = .ready(connection)
        readySince = now
        wasReached = true
        return waiters.takeAll()
    }

    /// There is no connection, or it has ended before the server's settings came: whose calls fail with that, and when to
    /// try again for those that go on waiting.
    mutating func failed(at now: ContinuousClock.Instant, chance: Double) -> (
        refused: [ConnectionWaiter], retry: Duration?
    ) {
        isAttempting = false
        guard case .connecting = phase else { return ([], nil) }
        phase = .idle
        wasReached = false
        backoff.failed(at: now, chance: chance)
        let refused = waiters.inOrder.filter { !$0.waitsForReady }
        for waiter in refused { waiters.remove(waiter.key) }
        guard !waiters.isEmpty, !isRetryScheduled else { return (refused, nil) }
        isRetryScheduled = true
        return (refused, backoff.wait(at: now) ?? .zero)
    }

    /// The connection takes no more calls; one that was of no use counts as a failed attempt, unless this side has ended
    /// it because nobody called: calls wait for the next, since the server is there. False when it was given up before.
    mutating func lost(
        _ connection: ClientConnection, hasAnswered: Bool, wasUnused: Bool, at now: ContinuousClock.Instant,
        chance: Double
    ) -> Bool {
        guard case .ready(let current) = phase, current === connection, let readySince else { return false }
        phase = .idle
        if hasAnswered || readySince.advanced(by: ReconnectBackoff.probation) <= now {
            backoff.succeeded()
        } else if !wasUnused {
            backoff.failed(at: now, chance: chance)
        }
        return true
    }

    /// The call no longer waits; nil when it was resumed already.
    mutating func remove(_ key: WaitKey) -> ConnectionWaiter? {
        waiters.remove(key)
    }

    /// The connection is down.
    mutating func ended(_ connection: ClientConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }
}

// MARK: - Closing

extension ChannelLink {
    /// Those that are to be closed when nobody wants them any more.
    var openConnections: [ClientConnection] { Array(connections.values) }

    /// No more connections: those there are, to be closed, and who waits for one.
    mutating func close() -> (open: [ClientConnection], refused: [ConnectionWaiter]) {
        phase = .closed
        return (openConnections, waiters.takeAll())
    }

    /// Has that one wait for the end, unless it has come: then false.
    mutating func waitForEnd(_ closer: UnsafeContinuation<Void, Never>) -> Bool {
        if isOver { return false }
        closers.append(closer)
        return true
    }

    /// Those who waited for the end, once it has come.
    mutating func takeClosers() -> [UnsafeContinuation<Void, Never>] {
        guard isOver else { return [] }
        defer { closers = [] }
        return closers
    }

    /// Whether nothing is left of a channel that is closed.
    var isOver: Bool {
        guard case .closed = phase else { return false }
        return !isAttempting && connections.isEmpty
    }
}
