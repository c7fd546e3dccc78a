internal import NIOCore

/// What a client's connection does by the clock: give up a server that doesn't speak, ask a silent one for a sign of
/// life, and go when nobody calls.
struct ClientTimers {
    /// Whether bytes have come since the last look.
    var hasRead = false
    /// Whether calls were open at the last look: a silence that began without any is none.
    private var hadCalls = false
    private var handshake: Scheduled<Void>?
    private var keepalive: RepeatedTask?
    private var unanswered: Scheduled<Void>?
    private var idle: RepeatedTask?
    /// The number of the next stream when the connection was last seen without calls.
    private var idleSince: Int?

    mutating func start(_ times: ConnectionTimes, handshake limit: Duration, of connection: ClientConnection) {
        let loop = connection.eventLoop
        handshake = loop.scheduleTask(in: TimeAmount(limit)) { connection.close() }
        if let interval = times.keepaliveInterval {
            let interval = TimeAmount(max(interval, ConnectionTimes.shortest))
            let timeout = TimeAmount(max(times.keepaliveTimeout, ConnectionTimes.shortest))
            keepalive = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                connection.askForLife(within: timeout)
            }
        }
        if let maxIdle = times.maxIdle {
            let interval = TimeAmount(max(maxIdle, ConnectionTimes.shortest))
            idle = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in connection.closeIfIdle() }
        }
    }

    mutating func handshakeDone() {
        handshake?.cancel()
        handshake = nil
    }

    mutating func stop() {
        handshakeDone()
        keepalive?.cancel()
        unanswered?.cancel()
        idle?.cancel()
        self = ClientTimers()
    }

    /// Nothing has come since the last look, at which calls were open as they are now; true when the server is to be
    /// asked, and was not yet.
    mutating func isSilent(hasCalls: Bool) -> Bool {
        defer {
            hasRead = false
            hadCalls = hasCalls
        }
        guard let unanswered else { return !hasRead && hadCalls && hasCalls }
        if hasRead {
            // An answer, or anything else: the next silence begins.
            unanswered.cancel()
            self.unanswered = nil
        }
        return false
    }

    mutating func asked(_ unanswered: Scheduled<Void>) {
        self.unanswered = unanswered
    }

    /// The time for an answer is over; true when there was none.
    mutating func timeIsUp() -> Bool {
        unanswered = nil
        return !hasRead
    }

    /// True when no call was open at the last look, nor begun since.
    mutating func isIdle(hasCalls: Bool, nextStream: Int) -> Bool {
        defer { idleSince = hasCalls ? nil : nextStream }
        return !hasCalls && idleSince == nextStream
    }
}
