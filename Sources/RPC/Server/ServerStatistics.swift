internal import Synchronization

/// What a server has done since it was made, and what it does now: a snapshot for metrics.
public struct ServerStatistics: Sendable, Equatable {
    /// Connections that were served.
    public var accepted = 0
    /// Connections closed at once because their process isn't wanted (``RPCServer/Configuration/acceptPeer``).
    public var refusedPeers = 0
    /// Connections closed at once because there were as many as there may be.
    public var refusedForLimit = 0
    /// Connections closed at once because their process had as many as one may.
    public var refusedForProcessLimit = 0
    /// Connections ended because the other side broke the protocol, or took too long to begin with it.
    public var protocolErrors = 0
    /// Requests reset because they broke the rules of HTTP/2; their connections went on.
    public var streamErrors = 0
    /// Connections ended because of too many frames or resets, not counted as protocol errors.
    public var floods = 0
    /// Connections ended because they didn't answer a ping.
    public var keepaliveTimeouts = 0
    /// Times that accepting stopped for a moment, because there were no descriptors or no memory for a connection.
    public var acceptPauses = 0
    public var openConnections = 0
    /// Calls on open connections whose handlers run.
    public var openCalls = 0
    /// Handlers that were started.
    public var callsStarted = 0
}

/// The counters of what happens to connections. What happens to calls is counted by each connection for itself.
final class ServerCounters: Sendable {
    let accepted = Atomic(0)
    let refusedPeers = Atomic(0)
    let refusedForLimit = Atomic(0)
    let refusedForProcessLimit = Atomic(0)
    let protocolErrors = Atomic(0)
    let streamErrors = Atomic(0)
    let floods = Atomic(0)
    let keepaliveTimeouts = Atomic(0)

    /// Without what connections count.
    var snapshot: ServerStatistics {
        var statistics = ServerStatistics()
        statistics.accepted = accepted.load(ordering: .relaxed)
        statistics.refusedPeers = refusedPeers.load(ordering: .relaxed)
        statistics.refusedForLimit = refusedForLimit.load(ordering: .relaxed)
        statistics.refusedForProcessLimit = refusedForProcessLimit.load(ordering: .relaxed)
        statistics.protocolErrors = protocolErrors.load(ordering: .relaxed)
        statistics.streamErrors = streamErrors.load(ordering: .relaxed)
        statistics.floods = floods.load(ordering: .relaxed)
        statistics.keepaliveTimeouts = keepaliveTimeouts.load(ordering: .relaxed)
        return statistics
    }
}

/// The calls of one connection, counted on its event loop and read from anywhere.
struct CallCounters: ~Copyable {
    private let startedCount = Atomic(0)
    private let runningCount = Atomic(0)

    /// Handlers that were started.
    var started: Int { startedCount.load(ordering: .relaxed) }
    /// Those of them that have not returned.
    var running: Int { runningCount.load(ordering: .relaxed) }

    /// On the event loop alone: with one writer, a load and a store do, and cost what a plain variable does.
    func handlerBegan() {
        startedCount.store(started + 1, ordering: .relaxed)
        runningCount.store(running + 1, ordering: .relaxed)
    }

    /// On the event loop alone.
    func handlerEnded() {
        runningCount.store(running - 1, ordering: .relaxed)
    }
}
