internal import NIOCore

/// What a client bounds.
struct ClientLimits: Sendable {
    /// The longest response message that is read into memory.
    var maxResponseBytes = 4 * 1024 * 1024
    /// Calls that wait because the server lets no more in.
    var maxWaitingCalls = 10_000
    /// Bytes of a response stream on their way to a reader.
    var streamWindow = 256 * 1024
    var connectionWindow = 8 * 1024 * 1024
    var maxHeaderListBytes = 64 * 1024
}

/// One connection of a channel.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
    // Unchecked: as the superclass, touched on `eventLoop` alone, except `start` and `cancel`, which go there.

    private static let pseudoHeaders = StaticHeaders([
        (":method", "POST"), (":scheme", "http"), (":authority", "localhost"),
    ])
    private static let requestHeaders = StaticHeaders([
        ("te", "trailers"), ("content-type", "application/grpc"), ("grpc-accept-encoding", "identity,gzip"),
    ])

    let limits: ClientLimits
    /// What a call is told whose connection has died.
    let unreachable: RPCError
    private weak let owner: RPCChannel?
    private var waiting = CircularBuffer<ClientStream>()
    /// Whether the server has said who it is: only then is it known to want this connection.
    private(set) var hasSettings = false
    private var isDraining = false

    init(owner: RPCChannel, limits: ClientLimits, unreachable: RPCError, eventLoop: any EventLoop) {
        self.owner = owner
        self.limits = limits
        self.unreachable = unreachable
        super.init(eventLoop: eventLoop)
    }

    override func makeSession() -> HTTP2Session? {
        let settings = HTTP2Session.Settings(
            maxConcurrentStreams: 0, maxHeaderListBytes: limits.maxHeaderListBytes, streamWindow: limits.streamWindow,
            connectionWindow: limits.connectionWindow)
        let session = HTTP2Session(side: .client, settings: settings, delegate: self)
        if session != nil { owner?.connectionBegan(self) }
        return session
    }

    override func ended() {
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
        guard session != nil, !isDraining else { return stream.abandon(unreachable, .always) }
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

    private var hasRoom: Bool {
        streams.count - waiting.count < session?.remoteMaxConcurrentStreams ?? 0
    }

    private func open(_ stream: ClientStream) {
        guard let session, stream.state.opened() else { return }
        add(stream)
        stream.forgetEarlierResponse()
        var metadata = stream.metadata
        if !metadata.isEmpty { metadata = metadata.sendable }
        if stream.isCompressing { metadata.add("grpc-encoding", "gzip") }
        if let deadline = stream.deadline {
            let left = Duration.nanoseconds((deadline - now.deadline).nanoseconds)
            metadata.add("grpc-timeout", Timeout.format(left))
        }
        let path = stream.method.requestHeaders
        let isOpen = session.submitRequest(
            stream, ClientConnection.pseudoHeaders, path, ClientConnection.requestHeaders, metadata)
        if !isOpen {
            // The numbers of streams are used up (RFC 9113, 5.1.1): the next connection has new ones.
            remove(stream)
            stream.closed(code: HTTP2ErrorCode.refusedStream.rawValue)
            return drain()
        }
        needsFlush()
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
    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        owner?.connectionDrains(self)
        abandonWaiting()
    }

    private func abandonWaiting() {
        while let stream = waiting.first { stream.abandon(unreachable, .always) }
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
        hasSettings = true
        owner?.connectionConfirmed(self)
        openWaiting()
    }

    func goAwayReceived() {
        drain()
    }

    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool { true }
}
