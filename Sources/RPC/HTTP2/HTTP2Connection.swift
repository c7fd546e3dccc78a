internal import NIOCore

/// One HTTP/2 connection, either side: bytes in, frames to streams, bytes out.
///
/// It lives on one event loop, which is the guard of everything in it and in its streams. A read goes through nghttp2
/// at once; what was answered meanwhile is written when the turn is over.
class HTTP2Connection: ChannelInboundHandler, TurnEnd, @unchecked Sendable {
    // Unchecked: touched on `eventLoop` alone; other threads only call `executor.perform` and read the constants.

    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The time of one turn, on the loop's clock.
    struct TurnTime {
        let deadline = NIODeadline.now()
    }

    /// Bytes collected before they are handed to the socket.
    private static let writeBatch = 256 * 1024

    final let eventLoop: any EventLoop
    final let executor: LoopExecutor
    /// Nil before the connection is active and after it has ended.
    fileprivate(set) final var session: HTTP2Session?
    /// Every open stream, each at its `position`.
    @exclusivity(unchecked) fileprivate(set) final var streams: [HTTP2Stream] = []
    private final var handlerContext: ChannelHandlerContext?
    private final var outbound = ByteBuffer()
    private final var isFlushDue = false
    /// Streams that are answered although their requests aren't complete.
    private final var resetsAfterFlush: [HTTP2Stream] = []
    /// Streams that were ended from this side and have still something to say, and how many bytes that was when they
    /// were last looked at.
    private final var unsent: [(stream: HTTP2Stream, left: Int)] = []
    private final var unsentCheck: Scheduled<Void>?
    private final var isFaultReported = false
    @exclusivity(unchecked) fileprivate final var timer = DeadlineTimer()
    @exclusivity(unchecked) private final var turnTime: TurnTime?
    /// Ends the wait for the last bytes to be written; nil before there is one.
    private final var lastWrite: Scheduled<Void>?

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        executor = LoopExecutor.shared(for: eventLoop)
    }

    /// The connection is up: the session it speaks with, or nil to close it.
    func makeSession() -> HTTP2Session? { nil }
    /// How long the other side may take to read the last of what was sent to it, when all else is done.
    var lastWriteTimeout: Duration { .seconds(20) }
    /// The bytes of a read have gone through the session.
    func readDone() {}
    /// The other side broke the protocol, by too much of something when `isFlood`; the connection is closed next.
    func protocolFailed(isFlood: Bool) {}
    /// The connection is down and its session gone; `streams` still holds what was open.
    func ended() {}

    final func channelActive(context: ChannelHandlerContext) {
        handlerContext = context
        session = makeSession()
        if session == nil {
            context.close(promise: nil)
        } else {
            needsFlush()
        }
    }

    final func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes when both sides are done is read, so that it doesn't stand in the way of closing, and dropped.
        guard let session, lastWrite == nil else { return }
        executor.beginTurn()
        let buffer = unwrapInboundIn(data)
        defer { buffer.wipe() }
        do {
            // `withUnsafeReadableBytes` rethrows without a type; the only error is the session's.
            try buffer.withUnsafeReadableBytes { try session.receive($0) }
        } catch let failure as HTTP2Session.Failure {
            reportFault(isFlood: failure.isFlood)
            flush()
            return close()
        } catch {
            return close()
        }
        readDone()
        needsFlush()
    }

    final func channelReadComplete(context: ChannelHandlerContext) {
        executor.finishTurn()
    }

    final func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { needsFlush() }
    }

    final func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken pipe or a reset: the other side is gone, which is not this side's error.
        context.close(promise: nil)
    }

    final func channelInactive(context: ChannelHandlerContext) {
        // The other side may have hung up before it could be told what it did wrong.
        reportSessionFault()
        session = nil
        handlerContext = nil
        timer.clear()
        lastWrite?.cancel()
        // They hold the connection, which would hold them for good.
        resetsAfterFlush = []
        unsent = []
        unsentCheck?.cancel()
        ended()
        let left = streams
        streams = []
        for stream in left { stream.closed(code: HTTP2ErrorCode.cancel.rawValue) }
        executor.finishTurnSoon()
    }

    final func close() {
        handlerContext?.close(promise: nil)
    }

    /// Closes and says when it is done.
    final func close(_ done: @escaping @Sendable () -> Void) {
        guard let handlerContext else { return done() }
        handlerContext.channel.closeFuture.whenComplete { _ in done() }
        handlerContext.close(promise: nil)
    }
}

// MARK: - Writing

extension HTTP2Connection {
    /// The time, read once a turn.
    final var now: TurnTime {
        if let turnTime { return turnTime }
        let now = TurnTime()
        turnTime = now
        // The end of the turn forgets it again.
        needsFlush()
        return now
    }

    /// Has the session's frames written at the end of this turn.
    final func needsFlush() {
        guard !isFlushDue else { return }
        isFlushDue = true
        executor.flushAtTurnEnd(self)
    }

    final func turnEnded() {
        isFlushDue = false
        turnTime = nil
        if flush(), !resetsAfterFlush.isEmpty { resetAnswered() }
        if session?.isOver == true { closeWhenWritten() }
    }

    /// Both sides are done: the connection is closed as soon as the socket has taken what was said last; at once when the
    /// other side is at fault.
    private final func closeWhenWritten() {
        guard lastWrite == nil, let session, let handlerContext else { return }
        reportSessionFault()
        if session.isAtFault { return close() }
        // Closing drops what the socket hasn't taken yet, which is a lot when the other side reads slowly.
        lastWrite = eventLoop.scheduleTask(in: TimeAmount(lastWriteTimeout)) { self.close() }
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in self.close() }
        handlerContext.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    /// Writes what there is to write before the turn is over, so that the other side has something to do meanwhile.
    final func writeAnswers() {
        flush()
    }

    /// Asks the other side to send no more of a request, once the answer that was submitted has been sent: nghttp2
    /// drops what a stream has still to send when it is reset.
    final func resetAfterFlush(_ stream: HTTP2Stream) {
        resetsAfterFlush.append(stream)
    }

    private final func resetAnswered() {
        for stream in resetsAfterFlush { session?.resetIfOpen(stream, .none) }
        resetsAfterFlush = []
        flush()
    }

    /// Has a stream that was ended from this side reset as soon as nothing of what it has still to say was taken for a
    /// second: the other side isn't reading then, and trailers would wait behind it for ever.
    final func resetUnlessSent(_ stream: HTTP2Stream) {
        unsent.append((stream, stream.outbound.count))
        if unsentCheck == nil { checkUnsentLater() }
    }

    private final func checkUnsentLater() {
        unsentCheck = eventLoop.scheduleTask(in: .seconds(1)) { self.checkUnsent() }
    }

    private final func checkUnsent() {
        unsentCheck = nil
        let looked = unsent
        unsent = []
        for (stream, left) in looked where !stream.outbound.isEmpty {
            if stream.outbound.count < left {
                unsent.append((stream, stream.outbound.count))
            } else {
                stream.outbound.removeAll()
                session?.resetIfOpen(stream, .cancel)
            }
        }
        if !unsent.isEmpty { checkUnsentLater() }
        needsFlush()
    }

    /// What the session found by itself: a GOAWAY that says so is on its way.
    private final func reportSessionFault() {
        guard let session, session.isAtFault else { return }
        reportFault(
            isFlood: session.isFlooded || session.failureCode == HTTP2ErrorCode.enhanceYourCalm.rawValue)
    }

    /// Says that the other side broke the protocol, once for a connection.
    final func reportFault(isFlood: Bool) {
        guard !isFaultReported else { return }
        isFaultReported = true
        protocolFailed(isFlood: isFlood)
    }

    /// Hands frames to the socket as long as it takes them; the rest stays with nghttp2, which asks no stream for more.
    ///
    /// True when all that can be sent has been.
    @discardableResult
    private final func flush() -> Bool {
        guard let handlerContext, let session else { return false }
        var hasMore = true
        // A write that fails ends the connection before it returns: the streams are gone then, and a session that still
        // asked them for data would ask freed memory.
        while hasMore, self.session === session, handlerContext.channel.isWritable {
            do {
                hasMore = try session.send(into: &outbound, upTo: HTTP2Connection.writeBatch)
            } catch {
                close()
                return false
            }
            guard outbound.readableBytes > 0 else { break }
            let count = outbound.readableBytes
            handlerContext.writeAndFlush(wrapOutboundOut(outbound), promise: nil)
            outbound.clearAndWipe(count)
        }
        return !hasMore
    }
}

// MARK: - Streams

extension HTTP2Connection {
    final func add(_ stream: HTTP2Stream) {
        stream.position = streams.count
        streams.append(stream)
    }

    final func remove(_ stream: HTTP2Stream) {
        let position = stream.position
        guard position < streams.count, streams[position] === stream else { return }
        let last = streams.removeLast()
        if last !== stream {
            last.position = position
            streams[position] = last
        }
    }

    /// Has ``HTTP2Stream/deadlinePassed()`` called on a stream of this connection soon after that time.
    final func watchDeadline(_ deadline: NIODeadline) {
        timer.require(deadline, on: eventLoop) { self.checkDeadlines() }
    }

    private final func checkDeadlines() {
        timer.clear()
        let now = NIODeadline.now()
        var next: NIODeadline?
        // A copy: ending a call may change the list.
        for stream in Array(streams) {
            guard let deadline = stream.deadline else { continue }
            if deadline <= now {
                stream.deadline = nil
                stream.deadlinePassed()
            } else {
                next = min(next ?? deadline, deadline)
            }
        }
        // A call that ended may have taken the connection with it, which the timer would hold.
        if session != nil, let next { watchDeadline(next) }
    }
}
