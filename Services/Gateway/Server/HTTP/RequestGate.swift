internal import GatewayCore
internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// Stands between the parser of HTTP/1.1 and the server library, and does what RFC 9110 and RFC 9112 oblige a server to
/// and neither of them does. `HTTP.md` beside this service's README lists it item by item.
///
/// It takes connections up or refuses them, checks each request's head, gives interim answers, ends connections as
/// they are to be ended, and answers itself what can't be taken up. Lives on the connection's event loop, like every
/// channel handler.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let maximumTargetBytes: Int
    private let lingerTimeout: TimeAmount
    private let stallTimeout: TimeAmount
    private let clock: ConnectionClock
    private let ledger: ConnectionLedger
    private let answers: ErrorAnswers
    private var state = ExchangeState()
    private var place: ConnectionPlaces.ID?
    private var linger: Scheduled<Void>?
    private var isEnding = false
    /// How the client wants errors, as far as its last request told.
    private var wish = ErrorAnswers.Wish.unknown

    init(
        configuration: GatewayConfiguration, clock: ConnectionClock, ledger: ConnectionLedger, answers: ErrorAnswers
    ) {
        maximumTargetBytes = configuration.maximumTargetBytes
        lingerTimeout = TimeAmount(configuration.lingerTimeout)
        stallTimeout = TimeAmount(configuration.stallTimeout)
        self.clock = clock
        self.ledger = ledger
        self.answers = answers
    }

    // MARK: The connection

    func channelActive(context: ChannelHandlerContext) {
        let loopBound = context.loopBound
        clock.onTimeout = { [weak self] isReceiving in
            self?.timedOut(isReceiving: isReceiving, context: loopBound.value)
        }
        switch ledger.admit(context.channel) {
        case .admitted(let id): place = id
        case .refused(let bound): turnAway(.tooManyConnections(bound), context: context)
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: state.drain()
        case ChannelEvent.inputClosed where isEnding: context.close(promise: nil)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func leave() {
        linger?.cancel()
        linger = nil
        clock.stop()
        if let place { ledger.left(place) }
        place = nil
    }

    private func timedOut(isReceiving: Bool, context: ChannelHandlerContext) {
        answers.statistics.timedOut()
        guard isReceiving, !isEnding else { return context.close(promise: nil) }
        found(.tooSlow, context: context)
        // Whoever waits for the rest of the body is told, and answers meanwhile.
        if !isEnding { close(context.channel, in: lingerTimeout) }
    }

    private func close(_ channel: any Channel, in time: TimeAmount) {
        linger?.cancel()
        linger = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !state.isDeaf else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): headArrived(head, context: context)
        case .body:
            state.bodyArrived()
            context.fireChannelRead(data)
        case .end:
            state.requestEnded()
            clock.requestEnded()
            context.fireChannelRead(data)
        }
    }

    private func headArrived(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        if let place { ledger.becameBusy(place) }
        clock.headArrived(on: context.eventLoop)
        let request = RequestHead(head)
        wish = ErrorAnswers.Wish(head)
        do throws(RequestFault) {
            guard clock.firstLine != .ofAnotherProtocol else { throw .malformed }
            let accepted = try request.accepted(maximumTargetBytes: maximumTargetBytes)
            var head = head
            head.uri = accepted.target
            if let authority = accepted.authority { head.headers.replaceOrAdd(name: "Host", value: authority) }
            // The parser stops at a request that asks for another protocol, which no answer here agrees to.
            let isLast = !head.isKeepAlive || head.headers.contains(name: "Upgrade")
            if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            state.headArrived(
                isHTTP10: request.isHTTP10, isLast: isLast, expectsContinue: accepted.expectsContinue)
            context.fireChannelRead(wrapInboundOut(.head(head)))
        } catch {
            found(error, context: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !state.isDeaf else { return }
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        found(fault(of: error), context: context)
    }

    private func fault(of error: HTTPParserError) -> RequestFault {
        switch error {
        case .invalidVersion, .paused: clock.firstLine == .endsInLFAlone ? .malformed : .versionUnsupported
        case .headerOverflow: clock.firstLineBytes > maximumTargetBytes ? .targetTooLong : .headersTooLarge
        case .invalidMethod:
            RequestHead.beginsWithUnknownMethod(clock.beginning) ? .methodUnknown : .malformed
        default: .malformed
        }
    }

    // MARK: Faults

    private func found(_ fault: RequestFault, context: ChannelHandlerContext) {
        switch state.faulted(fault) {
        case .tell: refuse(Refusal(fault), context: context)
        case .failRequest: context.fireErrorCaught(HTTPParserError.invalidEOFState)
        case .wait: break
        }
    }

    /// Answers by itself, and ends the connection.
    private func refuse(_ refusal: Refusal, context: ChannelHandlerContext) {
        guard context.channel.isActive, !isEnding else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        write(refusal, context: context, promise: written)
        end(context, after: written.futureResult)
    }

    /// Answers a connection that has no place before anything came on it, and closes it.
    private func turnAway(_ refusal: Refusal, context: ChannelHandlerContext) {
        isEnding = true
        clock.stop()
        state.refuseAll()
        let written = context.eventLoop.makePromise(of: Void.self)
        let channel = context.channel
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        write(refusal, context: context, promise: written)
    }

    private func write(_ refusal: Refusal, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        let answer = answers.answer(refusal, to: wish)
        var headers = HTTPHeaders(answer.headers.map { ($0.name.rawName, $0.value) })
        headers.add(name: "Date", value: HTTPDate.now)
        headers.add(name: "Connection", value: "close")
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: refusal.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if wish.method != "HEAD" {
            context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
    }

    /// Says no more once the last of what was said has left, and reads what still comes for a while: closing at once would
    /// have the client's system throw the answer away if more was on its way (RFC 9112, section 9.6).
    private func end(_ context: ChannelHandlerContext, after written: EventLoopFuture<Void>) {
        guard !isEnding else { return }
        isEnding = true
        clock.stop()
        if let place { ledger.becameIdle(place) }
        // A client that does not read the rest holds the connection no longer than any other that stalls.
        close(context.channel, in: stallTimeout)
        written.assumeIsolated().whenComplete { _ in
            context.close(mode: .output, promise: nil)
            self.close(context.channel, in: self.lingerTimeout)
        }
    }

    // MARK: Answers

    /// On the channel's event loop: the body of the request that is being answered is about to be read.
    static func takeBody(on channel: any Channel) {
        guard let gate = try? channel.pipeline.syncOperations.handler(type: RequestGate.self),
            let context = try? channel.pipeline.syncOperations.context(handler: gate), gate.state.takesContinue()
        else { return }
        context.writeAndFlush(
            gate.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): write(head, context: context, promise: promise)
        case .body:
            guard state.writesBody else {
                promise?.succeed()
                return
            }
            context.write(data, promise: promise)
        case .end: endAnswer(data, context: context, promise: promise)
        }
    }

    private func write(_ head: HTTPResponseHead, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        let isDelimited = head.headers.contains(name: "Content-Length") || !head.status.mayHaveResponseBody
        switch state.answerBegins(isDelimited: isDelimited) {
        case .write(let framing):
            var head = head
            if framing.closes {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            } else if framing.saysKeepAlive {
                head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
            }
            if framing.endsWithConnection { head.version = .http1_0 }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .tell(let fault):
            promise?.succeed()
            refuse(Refusal(fault), context: context)
        case .drop: promise?.succeed()
        }
    }

    private func endAnswer(_ data: NIOAny, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        switch state.answerEnds() {
        case .next:
            context.write(data, promise: promise)
            guard state.isIdle else { return }
            wish = .unknown
            clock.answered(on: context.eventLoop)
            if let place { ledger.becameIdle(place) }
        case .close:
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(data, promise: written)
            end(context, after: written.futureResult)
        case .closeTelling(let fault):
            context.write(data, promise: promise)
            refuse(Refusal(fault), context: context)
        case .drop: promise?.succeed()
        }
    }
}
