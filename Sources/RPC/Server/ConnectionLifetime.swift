internal import Logging
internal import NIOCore
internal import Synchronization

/// Ends a connection that is silent, unused or old, as far as the configuration asks for any of it.
final class ConnectionLifetime: @unchecked Sendable {
    // Unchecked: touched on the connection's event loop alone.

    /// No interval is shorter, whatever was configured: each costs a look.
    private static let shortest: Duration = .milliseconds(10)

    /// It goes before its connection does: the timers below are stopped when that ends.
    private unowned let connection: ServerConnection
    private let configuration: RPCServer.Configuration
    private var keepalive: Scheduled<Void>?
    private var idle: Scheduled<Void>?
    private var age: Scheduled<Void>?
    /// Whether anything came since the last look.
    private var wasHeard = true
    /// Whether a ping waits for its answer.
    private var isPinged = false
    private var unusedSince = NIODeadline.now()

    init?(_ configuration: RPCServer.Configuration, _ connection: ServerConnection) {
        guard
            configuration.keepaliveInterval != nil || configuration.maxConnectionIdle != nil
                || configuration.maxConnectionAge != nil
        else { return nil }
        self.configuration = configuration
        self.connection = connection
        scheduleKeepalive()
        if let limit = configuration.maxConnectionIdle { scheduleIdle(.now() + TimeAmount(limit)) }
        if let limit = configuration.maxConnectionAge {
            let limit = ConnectionLifetime.jittered(limit, chance: .random(in: 0..<1))
            age = connection.eventLoop.scheduleTask(in: TimeAmount(limit)) { self.aged() }
        }
    }

    /// Within a tenth of the duration: connections that began together don't end together.
    static func jittered(_ duration: Duration, chance: Double) -> Duration {
        duration * (0.9 + 0.2 * chance)
    }

    /// The connection is down.
    func end() {
        keepalive?.cancel()
        idle?.cancel()
        age?.cancel()
    }

    /// Bytes have come.
    func heard() {
        wasHeard = true
        guard isPinged else { return }
        keepalive?.cancel()
        scheduleKeepalive()
    }

    /// The last call is over.
    func unused(since time: NIODeadline) {
        unusedSince = time
    }

    // MARK: Silence

    private func scheduleKeepalive() {
        guard let interval = configuration.keepaliveInterval else { return }
        wasHeard = false
        isPinged = false
        let due = TimeAmount(max(interval, ConnectionLifetime.shortest))
        keepalive = connection.eventLoop.scheduleTask(in: due) { self.keepaliveDue() }
    }

    private func keepaliveDue() {
        if wasHeard { return scheduleKeepalive() }
        connection.session?.submitPing()
        connection.needsFlush()
        isPinged = true
        keepalive = connection.eventLoop.scheduleTask(in: TimeAmount(configuration.keepaliveTimeout)) {
            self.connection.keepaliveFailed()
        }
    }

    // MARK: No calls

    private func scheduleIdle(_ deadline: NIODeadline) {
        idle = connection.eventLoop.scheduleTask(deadline: deadline) { self.idleDue() }
    }

    private func idleDue() {
        guard let limit = configuration.maxConnectionIdle else { return }
        let now = NIODeadline.now()
        let due = unusedSince + TimeAmount(limit)
        if !connection.streams.isEmpty {
            scheduleIdle(now + TimeAmount(max(limit, ConnectionLifetime.shortest)))
        } else if due > now {
            scheduleIdle(due)
        } else {
            connection.beginDrain()
        }
    }

    // MARK: Age

    private func aged() {
        connection.beginDrain()
        guard let grace = configuration.maxConnectionAgeGrace else { return }
        age = connection.eventLoop.scheduleTask(in: TimeAmount(grace)) {
            self.connection.cancelCalls(
                RPCError(.unavailable, "the connection has had its time", reason: "CONNECTION_TOO_OLD"))
            // Handlers that don't heed it don't keep the connection.
            self.age = self.connection.eventLoop.scheduleTask(in: TimeAmount(self.configuration.cancelTimeout)) {
                self.connection.close()
            }
        }
    }
}

extension ServerConnection {
    /// A ping was not answered in time: the other side is stopped, or gone without its kernel's saying so.
    func keepaliveFailed() {
        context.counters.keepaliveTimeouts.add(1, ordering: .relaxed)
        log(.info, "connection ended: no answer to a ping")
        close()
    }
}
