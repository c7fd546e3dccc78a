internal import NIOCore

/// Counts the time that a connection may take for what it does next, from its first byte on. It sees the bytes, and is
/// told by the ``RequestGate`` what they were.
///
/// Lives on the connection's event loop, like every channel handler.
final class ConnectionClock: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum Phase {
        /// Connected, and not a byte has come.
        case unused
        /// A request has begun and is not complete.
        case receiving
        /// It is being answered, for as long as that takes.
        case answering
        /// Answered, and nothing more has come.
        case idle
        case over
    }

    /// What the first line of a request is, of which the parser doesn't tell all. For requests after the first, whose
    /// beginning may have come with the one before, this only decides which fault is told.
    enum FirstLine {
        case incomplete, ofHTTP, ofAnotherProtocol, endsInLFAlone
    }

    /// Bytes kept of a request's beginning: enough for the longest method there is.
    private static let beginningBytes = 32
    /// Bytes kept of the end of its first line: `HTTP/1.1` and CR.
    private static let endingBytes = 9

    private let requestTimeout: TimeAmount
    private let idleTimeout: TimeAmount
    private var phase = Phase.unused
    private var deadline: NIODeadline?
    private var timer: Scheduled<Void>?
    /// When `timer` goes off: at the deadline or before it, so that moving the deadline away costs nothing.
    private var timerTime = NIODeadline.distantFuture
    private var isInHead = true
    /// The first bytes of the request that is being received.
    private(set) var beginning: [UInt8] = []
    /// Bytes of its first line so far.
    private(set) var firstLineBytes = 0
    private(set) var firstLine = FirstLine.incomplete
    private var ending: [UInt8] = []
    private var isFirstRequest = true
    /// Called when the time is up, with whether part of a request has come.
    var onTimeout: ((_ isReceiving: Bool) -> Void)?

    init(requestTimeout: Duration, idleTimeout: Duration) {
        self.requestTimeout = TimeAmount(requestTimeout)
        self.idleTimeout = TimeAmount(idleTimeout)
    }

    func channelActive(context: ChannelHandlerContext) {
        arm(requestTimeout, on: context.eventLoop)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .unused: phase = .receiving
        case .idle:
            phase = .receiving
            arm(requestTimeout, on: context.eventLoop)
        case .receiving, .answering, .over: break
        }
        if phase == .receiving, isInHead { lookAt(unwrapInboundIn(data)) }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    // MARK: What the gate tells

    /// A request's head is complete; its body may follow.
    func headArrived(on eventLoop: any EventLoop) {
        isInHead = false
        // It came together with one before it.
        guard phase == .answering else { return }
        phase = .receiving
        arm(requestTimeout, on: eventLoop)
    }

    func requestEnded() {
        guard phase != .over else { return }
        phase = .answering
        deadline = nil
    }

    /// Nothing is asked that isn't answered.
    func answered(on eventLoop: any EventLoop) {
        guard phase != .over else { return }
        phase = .idle
        isInHead = true
        beginning = []
        firstLineBytes = 0
        firstLine = .incomplete
        ending = []
        isFirstRequest = false
        arm(idleTimeout, on: eventLoop)
    }

    /// The connection is on its way to be closed, by others.
    func stop() {
        phase = .over
        deadline = nil
        timer?.cancel()
        timer = nil
        onTimeout = nil
    }

    // MARK: Its own

    private func lookAt(_ buffer: ByteBuffer) {
        guard firstLine == .incomplete else { return }
        var bytes = buffer.readableBytesView[...]
        // Empty lines before a request are no part of it (RFC 9112, section 2.2).
        if firstLineBytes == 0 { bytes = bytes.drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") } }
        if beginning.count < Self.beginningBytes { beginning += bytes.prefix(Self.beginningBytes - beginning.count) }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        firstLineBytes += line.count
        ending = (ending + line.suffix(Self.endingBytes)).suffix(Self.endingBytes)
        guard line.count < bytes.count else { return }
        if ending.last != UInt8(ascii: "\r") {
            firstLine = .endsInLFAlone
        } else {
            let isHTTP = ending.starts(with: Array("HTTP/".utf8)) || !isFirstRequest
            firstLine = isHTTP ? .ofHTTP : .ofAnotherProtocol
        }
    }

    private func arm(_ time: TimeAmount, on eventLoop: any EventLoop) {
        let due = NIODeadline.now() + time
        deadline = due
        guard timer == nil || due < timerTime else { return }
        timer?.cancel()
        schedule(due, on: eventLoop)
    }

    private func schedule(_ due: NIODeadline, on eventLoop: any EventLoop) {
        timerTime = due
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.timerDue(on: eventLoop) }
    }

    private func timerDue(on eventLoop: any EventLoop) {
        timer = nil
        guard let deadline else { return }
        guard deadline <= .now() else { return schedule(deadline, on: eventLoop) }
        self.deadline = nil
        onTimeout?(phase == .receiving)
    }
}
