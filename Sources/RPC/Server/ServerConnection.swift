internal import Logging
internal import NIOCore
internal import Synchronization

/// One accepted connection.
///
/// The calls that a read completed are started in the order they came, when the read has been gone through, and what
/// they answered at once is in a few writes.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
    // Unchecked: as the superclass, touched on `eventLoop` alone.

    /// Of the calls that one read brought, so many are started before their answers are written. In one write for all, the
    /// caller would wait while this side works and this side while the caller reads; in one each, writing would cost
    /// more than answering.
    static let callsPerWrite = 16
    /// Window updates that may be due for answers at a time: for a megabyte of short messages.
    private static let windowUpdatesKept = 128 * 1024
    /// Bytes of one call's requests that may wait for its handler, apart from one message that is longer.
    static let streamWindow = 256 * 1024

    let context: ServerContext
    let peer: Peer
    /// Calls whose request is complete, to be started when the read has been gone through.
    @exclusivity(unchecked) var ready: [ServerStream] = []
    private(set) var bufferedRequestBytes = 0
    let calls = CallCounters()
    /// Nil when the connection may be silent, unused and old.
    private var lifetime: ConnectionLifetime?
    /// Whether there was a frame too many: the connection ends for a flood, which is no other protocol error.
    private var wasTooMuch = false
    let responseLimit: Int
    /// Bytes of responses that wait to be sent, or more.
    @exclusivity(unchecked) var responseBytes = 0
    /// Whether calls or writers wait for responses to be sent.
    var isHeldBack = false
    var isCheckScheduled = false
    /// Whether the server stops.
    var isStopping = false
    private var budget: FrameBudget
    private var handshake: Scheduled<Void>?
    private var unreadCheck: RepeatedTask?

    init(context: ServerContext, peer: Peer, eventLoop: any EventLoop) {
        self.context = context
        self.peer = peer
        responseLimit = context.configuration.maxBufferedConnectionResponseBytes
        budget = FrameBudget(
            perSecond: context.configuration.maxControlFramesPerSecond,
            resetsPerSecond: context.configuration.maxResetsPerSecond,
            windowUpdatesKept: ServerConnection.windowUpdatesKept)
        super.init(eventLoop: eventLoop)
    }

    override func makeSession() -> HTTP2Session? {
        let configuration = context.configuration
        guard admits() else { return nil }
        handshake = eventLoop.scheduleTask(in: TimeAmount(configuration.handshakeTimeout)) {
            self.reportFault(isFlood: false)
            self.close()
        }
        lifetime = ConnectionLifetime(configuration, self)
        let unread = TimeAmount(configuration.unreadResponseTimeout)
        unreadCheck = eventLoop.scheduleRepeatedTask(initialDelay: unread, delay: unread) { _ in self.resetUnread() }
        let settings = HTTP2Session.Settings(
            maxConcurrentStreams: configuration.maxConcurrentStreams,
            maxHeaderListBytes: configuration.maxHeaderListBytes, streamWindow: ServerConnection.streamWindow,
            connectionWindow: 4 * 1024 * 1024, maxSettingsEntries: configuration.maxSettingsEntries,
            maxContinuations: configuration.maxContinuations,
            maxQueuedAcknowledgements: configuration.maxQueuedAcknowledgements)
        return HTTP2Session(
            side: .server, settings: settings, delegate: self, memory: executor.sessionMemory)
    }

    /// Whether the connection is to be served; it is counted either way.
    private func admits() -> Bool {
        let counters = context.counters
        guard context.configuration.acceptPeer(peer) else { return refuse(counters.refusedPeers, "peer") }
        let configuration = context.configuration
        let insertion = context.connections.insert(
            self, limit: configuration.maxConnections, ofProcess: configuration.maxConnectionsOfProcess ?? .max)
        switch insertion {
        case .inserted:
            counters.accepted.add(1, ordering: .relaxed)
            return true
        case .full: return refuse(counters.refusedForLimit, "limit")
        case .fullForProcess: return refuse(counters.refusedForProcessLimit, "limit of a process")
        // One that came as the server stopped to listen.
        case .draining: return false
        }
    }

    private func refuse(_ counter: borrowing Atomic<Int>, _ reason: String) -> Bool {
        counter.add(1, ordering: .relaxed)
        log(.warning, "connection refused", ["reason": "\(reason)"])
        return false
    }

    override var lastWriteTimeout: Duration { context.configuration.unreadResponseTimeout }

    override func readDone() {
        lifetime?.heard()
        if let session, session.queuedFrames > context.configuration.maxQueuedFrames {
            reportFault(isFlood: true)
            return close()
        }
        watchHeaders()
        startReady()
    }

    /// A header block must become complete as a request must: until it has, nothing else can come on the connection.
    private func watchHeaders() {
        guard let newest = streams.last as? ServerStream, !newest.headers.areComplete, newest.deadline == nil else {
            return
        }
        let due = now.deadline + TimeAmount(context.configuration.requestTimeout)
        newest.deadline = due
        watchDeadline(due)
    }

    override func protocolFailed(isFlood: Bool) {
        // What went too far was found out while frames were read, of which nghttp2 only hears that they failed.
        let isFlood = isFlood || wasTooMuch
        let counters = context.counters
        if isFlood {
            counters.floods.add(1, ordering: .relaxed)
        } else {
            counters.protocolErrors.add(1, ordering: .relaxed)
        }
        log(.info, "connection ended for \(isFlood ? "a flood" : "a protocol error")")
    }

    /// Says what became of the connection, unless too much was said of others just before: whoever connects can have it
    /// said as often as it likes. The statistics count all.
    func log(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata = [:]) {
        guard let omitted = context.logLimit.admits() else { return }
        var metadata = metadata
        metadata["peer_uid"] = "\(peer.uid)"
        if omitted > 0 { metadata["omitted_before"] = "\(omitted)" }
        context.logger.log(level: level, message, metadata: metadata)
    }

    override func ended() {
        handshake?.cancel()
        unreadCheck?.cancel()
        lifetime?.end()
        lifetime = nil
        ready = []
        context.connections.remove(self)
    }
}

// MARK: - Bounds

extension ServerConnection {
    /// Counts bytes of requests that wait in memory, all calls of the connection together.
    func reserveRequestBytes(_ count: Int) throws(RPCError) {
        guard bufferedRequestBytes + count <= context.configuration.maxBufferedRequestBytes else {
            throw RPCError(
                .resourceExhausted, "too many bytes of requests on one connection", reason: "CONNECTION_BUFFER_FULL")
        }
        bufferedRequestBytes += count
    }

    func releaseRequestBytes(_ count: Int) {
        bufferedRequestBytes -= count
    }

    /// Counts a handler that starts. Those whose calls are over but that don't return count as well, so that calls
    /// that are reset can't pile handlers up. False when there are too many.
    func handlerBegan() -> Bool {
        guard calls.running < context.configuration.maxConcurrentStreams * 2 else { return false }
        calls.handlerBegan()
        return true
    }

    func handlerEnded() {
        calls.handlerEnded()
    }
}

// MARK: - What the session reports

extension ServerConnection: HTTP2SessionDelegate {
    func streamBegan(id: Int32) -> HTTP2Stream? {
        let stream = ServerStream(connection: self)
        add(stream)
        return stream
    }

    func streamClosed(_ stream: HTTP2Stream) {
        remove(stream)
        if let lifetime, streams.isEmpty { lifetime.unused(since: now.deadline) }
    }

    func settingsReceived() {
        handshake?.cancel()
        handshake = nil
    }

    func goAwayReceived(forPings: Bool) {}

    func streamWasAtFault(_ stream: HTTP2Stream, code: UInt32) {
        // One that was refused, or that this side couldn't go on with, has broken no rule.
        let isFault = code != HTTP2ErrorCode.refusedStream.rawValue && code != HTTP2ErrorCode.internalError.rawValue
        guard isFault else { return }
        context.counters.streamErrors.add(1, ordering: .relaxed)
        let rule = (stream as? ServerStream)?.fault?.rawValue ?? "frames"
        log(.info, "request reset for a protocol error", ["rule": "\(rule)", "code": "\(code)"])
    }

    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool {
        let isAllowed = budget.admits(frame, sent: session?.sentBytes ?? 0)
        if !isAllowed { wasTooMuch = true }
        return isAllowed
    }
}
