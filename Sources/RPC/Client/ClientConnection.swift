internal import NIOCore

/// One connection of a channel.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
    // Unchecked: as the superclass, touched on `eventLoop` alone, except `start` and `cancel`, which go there.

    private static let pseudoHeaders = StaticHeaders([
        (":method", "POST"), (":scheme", "http"), (":authority", "localhost"),
    ])
    private static let requestHeaders = StaticHeaders([
        ("te", "trailers"), ("content-type", "application/grpc"), ("grpc-accept-encoding", "identity,gzip"),
    ])
    private static let metadataTooLong = RPCError(
        .resourceExhausted, "request: metadata longer than \(HeaderBlock.longest) bytes", reason: "METADATA_TOO_LARGE")

    let limits: ClientLimits
    /// What a call is told whose connection has died.
    private(set) var unreachable: RPCError
    private weak let owner: Subchannel?
    private var waiting = CircularBuffer<ClientStream>()
    /// Whether the server has said who it is: only then is it known to want this connection.
    private(set) var hasSettings = false
    private(set) var isDraining = false
    /// Whether the server has answered anybody's call on it.
    private(set) var hasAnswered = false
    /// Whether this side has ended it because nobody called, which says nothing about the server.
    private(set) var wasUnused = false
    /// Streams that are no calls of anyone's: they don't keep the connection in use.
    var backgroundStreams = 0
    private let times: ConnectionTimes
    private var timers = ClientTimers()
    private var budget: FrameBudget

    init(
        owner: Subchannel, limits: ClientLimits, times: ConnectionTimes = ConnectionTimes(), unreachable: RPCError,
        eventLoop: any EventLoop
    ) {
        self.owner = owner
        self.limits = limits
        self.times = times
        self.unreachable = unreachable
        budget = FrameBudget(perSecond: limits.maxControlFramesPerSecond)
        super.init(eventLoop: eventLoop)
    }

    override func makeSession() -> HTTP2Session? {
        // The channel may have been let go of while the socket was being connected: nobody would ever close it.
        guard let owner else { return nil }
        let longest = Int(Int32.max)
        let settings = HTTP2Session.Settings(
            maxConcurrentStreams: 0, maxHeaderListBytes: limits.maxHeaderListBytes,
            streamWindow: min(limits.streamWindow, longest), connectionWindow: min(limits.connectionWindow, longest))
        guard
            let session = HTTP2Session(
                side: .client, settings: settings, delegate: self, memory: executor.sessionMemory)
        else { return nil }
        timers.start(times, handshake: limits.handshakeTimeout, of: self)
        owner.connectionBegan(self)
        return session
    }

    override func readDone() {
        timers.hasRead = true
    }

    override func ended() {
        timers.stop()
        // First the channel, so that a call that is repeated does not find this connection again.
        owner?.connectionEnded(self)
        abandonWaiting()
    }

    /// Starts a call. From any thread.
    func start(_ stream: ClientStream, _ receiver: ClientStream.Receiver) {
        if eventLoop.inEventLoop { return begin(stream, receiver) }
        executor.perform { self.begin(stream, receiver) }
    }

    /// Ends a call that its caller no longer wants. From any thread, also before it was started.
    func cancel(_ stream: ClientStream) {
        executor.perform { stream.abandon(RPCError(.cancelled, "the call was cancelled")) }
    }

    private func begin(_ stream: ClientStream, _ receiver: ClientStream.Receiver) {
        stream.attach(receiver)
        guard stream.state.phase == .waiting else { return }
        guard session != nil, !isDraining else { return stream.abandon(unreachable, .unsent) }
        if let deadline = stream.deadline {
            if deadline <= now.deadline { return stream.deadlinePassed() }
            watchDeadline(deadline)
        }
        if waiting.isEmpty, hasRoom { return open(stream) }
        guard waiting.count < limits.maxWaitingCalls else {
            return stream.abandon(RPCError(.resourceExhausted, "too many calls wait for the server"))
        }
        // It is in the list of streams from now on, for its deadline.
        add(stream)
        waiting.append(stream)
    }

    /// The server has begun to answer a call.
    func answered() {
        hasAnswered = true
    }

    /// Whether anybody's call is open, or waits to be.
    var hasCalls: Bool { streams.count > backgroundStreams }

    private var hasRoom: Bool {
        streams.count - waiting.count < session?.remoteMaxConcurrentStreams ?? 0
    }

    private func open(_ stream: ClientStream) {
        guard let session, stream.state.phase == .waiting else { return }
        let path = stream.method.requestHeaders
        let metadata = metadata(of: stream)
        let isTooLong = HeaderBlock.isTooLong(
            ClientConnection.pseudoHeaders, path, ClientConnection.requestHeaders, metadata)
        if isTooLong { return stream.abandon(ClientConnection.metadataTooLong) }
        let isOpen = session.submitRequest(
            stream, ClientConnection.pseudoHeaders, path, ClientConnection.requestHeaders, metadata)
        guard isOpen, stream.state.opened() else {
            // The numbers of streams are used up (RFC 9113, 5.1.1): the next connection has new ones. This one is over
            // when its calls are, since both sides know that there will be no more.
            session.submitGoAway()
            needsFlush()
            drain()
            return stream.abandon(unreachable, .unsent)
        }
        add(stream)
        stream.forgetEarlierResponse()
        needsFlush()
    }

    /// What a call says beside its request: the caller's metadata and what gRPC adds to it.
    private func metadata(of stream: ClientStream) -> Metadata {
        var metadata = stream.metadata
        if !metadata.isEmpty { metadata = metadata.sendable }
        if stream.isCompressing { metadata.add("grpc-encoding", "gzip") }
        if stream.previousAttempts > 0 {
            metadata.add("grpc-previous-rpc-attempts", String(stream.previousAttempts))
        }
        if let deadline = stream.deadline {
            let left = Duration.nanoseconds((deadline - now.deadline).nanoseconds)
            metadata.add("grpc-timeout", Timeout.format(left))
        }
        return metadata
    }

    private func openWaiting() {
        while hasRoom, let stream = waiting.popFirst() {
            remove(stream)
            open(stream)
        }
    }

    /// A call that waited no longer wants to.
    func forget(_ stream: ClientStream) {
        remove(stream)
        if let index = waiting.firstIndex(where: { $0 === stream }) { waiting.remove(at: index) }
    }

    /// The server takes no more calls here: those it hasn't seen go elsewhere.
    private func drain(wasIdle: Bool = false) {
        guard !isDraining else { return }
        isDraining = true
        owner?.connectionDrains(self, wasIdle: wasIdle)
        abandonWaiting()
        if backgroundStreams > 0 { endBackground() }
    }

    /// What only watches must not keep a connection up that takes no more calls.
    private func endBackground() {
        for case let stream as ClientStream in Array(streams) where stream.isBackground {
            stream.abandon(RPCError(.cancelled, "the connection takes no more calls"))
        }
    }

    private func abandonWaiting() {
        while let stream = waiting.first { stream.abandon(unreachable, .unsent) }
    }
}

// MARK: - By the clock

extension ClientConnection {
    /// Sends a PING when nothing has come for long while calls are open, and ends the connection when nothing comes
    /// then either.
    func askForLife(within timeout: TimeAmount) {
        guard timers.isSilent(hasCalls: hasCalls), let session else { return }
        session.submitPing()
        needsFlush()
        timers.asked(
            eventLoop.scheduleTask(in: timeout) { if self.timers.timeIsUp() { self.close() } })
    }

    func closeIfIdle() {
        // Who waits for the handshake is no call yet.
        guard hasSettings, let session, timers.isIdle(hasCalls: hasCalls, nextStream: session.nextStreamID)
        else { return }
        // Nobody has called for long: the next call makes a connection of its own.
        wasUnused = true
        drain(wasIdle: true)
        close()
    }
}

extension ClientConnection: HTTP2SessionDelegate {
    /// A server can't begin a stream: pushing is off.
    func streamBegan(id: Int32) -> HTTP2Stream? { nil }

    func streamClosed(_ stream: HTTP2Stream) {
        remove(stream)
        if !waiting.isEmpty { openWaiting() }
    }

    func settingsReceived() {
        if !hasSettings {
            hasSettings = true
            timers.handshakeDone()
            owner?.connectionReady(self)
        }
        openWaiting()
    }

    func goAwayReceived(forPings: Bool) {
        if forPings, let owner, !isDraining {
            unreachable = owner.common.tooManyPings
            owner.connectionPingedTooOften(every: times.keepaliveInterval)
        }
        drain(wasIdle: !hasCalls)
    }

    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool {
        budget.admits(frame, sent: session?.sentBytes ?? 0)
    }
}
