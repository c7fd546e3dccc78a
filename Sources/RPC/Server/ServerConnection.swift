internal import CNghttp2
internal import Logging
internal import NIOCore

/// One accepted connection: bytes in, calls started, bytes out.
///
/// It lives on one event loop, which is the guard of everything in it. A read goes through nghttp2 at once, the calls it
/// completed are started in the order they came, and what they answered is written when the read is over.
final class ServerConnection: ChannelInboundHandler, TurnEnd, @unchecked Sendable {
    // Unchecked: touched on `eventLoop` alone; other threads only call `executor.perform` and the constants.

    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes collected before they are handed to the socket.
    private static let writeBatch = 256 * 1024

    let context: ServerContext
    let peer: Peer
    let eventLoop: any EventLoop
    let executor: LoopExecutor
    /// Nil before the connection is active and after it has ended.
    var session: HTTP2Session?
    /// Calls whose request is complete, to be started when the read has been gone through.
    var ready: [ServerStream] = []
    /// Every open stream, each at its `position`.
    private(set) var streams: [ServerStream] = []
    private(set) var channel: (any Channel)?
    private var handlerContext: ChannelHandlerContext?
    private var outbound = ByteBuffer()
    private var isFlushDue = false
    private var bufferedRequestBytes = 0
    private var runningHandlers = 0
    private var resets: FloodGuard
    private var controls: FloodGuard
    private var handshake: Scheduled<Void>?
    var timer = DeadlineTimer()
    private var turnTime: ContinuousClock.Instant?

    init(context: ServerContext, peer: Peer, eventLoop: any EventLoop) {
        self.context = context
        self.peer = peer
        self.eventLoop = eventLoop
        executor = LoopExecutor.shared(for: eventLoop)
        resets = FloodGuard(perSecond: context.configuration.maxResetsPerSecond)
        controls = FloodGuard(perSecond: context.configuration.maxControlFramesPerSecond)
    }

    /// The time, read once a turn.
    var now: ContinuousClock.Instant {
        if let turnTime { return turnTime }
        let now = ContinuousClock.now
        turnTime = now
        // Only a turn that ends forgets it again.
        needsFlush()
        return now
    }

    func channelActive(context handlerContext: ChannelHandlerContext) {
        channel = handlerContext.channel
        self.handlerContext = handlerContext
        let configuration = context.configuration
        guard configuration.acceptPeer(peer), context.connections.insert(self, limit: configuration.maxConnections)
        else {
            context.logger.warning("connection refused", metadata: ["peer_uid": "\(peer.uid)"])
            return handlerContext.close(promise: nil)
        }
        let settings = HTTP2Session.Settings(
            maxConcurrentStreams: configuration.maxConcurrentStreams,
            maxHeaderListBytes: configuration.maxHeaderListBytes, streamWindow: 256 * 1024,
            connectionWindow: 4 * 1024 * 1024)
        session = HTTP2Session(side: .server, settings: settings, delegate: self)
        handshake = eventLoop.scheduleTask(in: TimeAmount(configuration.handshakeTimeout)) { self.close() }
        needsFlush()
    }

    func channelRead(context handlerContext: ChannelHandlerContext, data: NIOAny) {
        guard let session else { return }
        executor.beginTurn()
        let buffer = unwrapInboundIn(data)
        do {
            // `withUnsafeReadableBytes` rethrows without a type; the only error is the session's.
            try buffer.withUnsafeReadableBytes { try session.receive($0) }
        } catch {
            context.logger.info("connection ended for a protocol error", metadata: ["peer_uid": "\(peer.uid)"])
            flush()
            return close()
        }
        startReady()
        needsFlush()
    }

    func channelReadComplete(context handlerContext: ChannelHandlerContext) {
        executor.finishTurn()
    }

    func channelWritabilityChanged(context handlerContext: ChannelHandlerContext) {
        if handlerContext.channel.isWritable { needsFlush() }
    }

    func errorCaught(context handlerContext: ChannelHandlerContext, error: any Error) {
        // A broken pipe or a reset: the other side is gone, which is not this side's error.
        handlerContext.close(promise: nil)
    }

    func channelInactive(context handlerContext: ChannelHandlerContext) {
        session = nil
        handshake?.cancel()
        timer.clear()
        ready = []
        let left = streams
        streams = []
        for stream in left { stream.closed(code: NGHTTP2_CANCEL.rawValue) }
        self.handlerContext = nil
        channel = nil
        context.connections.remove(self)
    }

    private func startReady() {
        while !ready.isEmpty {
            let due = ready
            ready.removeAll(keepingCapacity: true)
            for stream in due { stream.start() }
        }
    }

    /// Has the session's frames written at the end of this turn.
    func needsFlush() {
        guard !isFlushDue else { return }
        isFlushDue = true
        executor.flushAtTurnEnd(self)
    }

    func turnEnded() {
        isFlushDue = false
        turnTime = nil
        flush()
        if session?.isOver == true { close() }
    }

    /// Hands frames to the socket as long as it takes them; the rest stays with nghttp2, which asks no stream for more.
    private func flush() {
        guard let handlerContext, let session else { return }
        var hasMore = true
        while hasMore, handlerContext.channel.isWritable {
            do {
                hasMore = try session.send(into: &outbound, upTo: ServerConnection.writeBatch)
            } catch {
                return close()
            }
            guard outbound.readableBytes > 0 else { return }
            handlerContext.writeAndFlush(wrapOutboundOut(outbound), promise: nil)
            outbound.clear()
        }
    }

    func close() {
        handlerContext?.close(promise: nil)
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
        guard runningHandlers < context.configuration.maxConcurrentStreams * 2 else { return false }
        runningHandlers += 1
        return true
    }

    func handlerEnded() {
        runningHandlers -= 1
    }
}

// MARK: - What the session reports

extension ServerConnection: HTTP2SessionDelegate {
    func streamBegan(id: Int32) -> HTTP2Stream? {
        let stream = ServerStream(connection: self)
        stream.position = streams.count
        streams.append(stream)
        return stream
    }

    func streamClosed(_ stream: HTTP2Stream) {
        let position = stream.position
        guard position < streams.count, streams[position] === stream else { return }
        let last = streams.removeLast()
        if last !== stream {
            last.position = position
            streams[position] = last
        }
    }

    func settingsReceived() {
        handshake?.cancel()
        handshake = nil
    }

    func goAwayReceived() {}

    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool {
        switch frame {
        case .reset: resets.admits()
        case .control: controls.admits()
        }
    }
}
