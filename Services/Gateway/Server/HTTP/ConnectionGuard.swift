internal import NIOCore
internal import NIOHTTPTypes

/// Bounds what one connection may cost: closes it when a request takes too long to arrive, or when what was answered is
/// left unread for too long, and tells a live feed at once when its browser has hung up.
///
/// Lives on the connection's event loop, like every channel handler.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Bytes that may wait in memory for a client to read them before writers have to wait. Room for a few of the
    /// largest events, so that a short pause in the network doesn't cost a follower its connection.
    static let unreadBytes = ChannelOptions.Types.WriteBufferWaterMark(low: 64 * 1024, high: 256 * 1024)

    private let requestTimeout: TimeAmount
    private let stallTimeout: TimeAmount
    private var requestDeadline: Scheduled<Void>?
    private var stallDeadline: Scheduled<Void>?
    private var onHangUp: (() -> Void)?

    init(requestTimeout: Duration, stallTimeout: Duration) {
        self.requestTimeout = TimeAmount(requestTimeout)
        self.stallTimeout = TimeAmount(stallTimeout)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.channel.setOption(.writeBufferWaterMark, value: Self.unreadBytes).whenFailure { _ in
            // The default is smaller; nothing but the room for pauses is lost.
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancelAll() }

    func channelInactive(context: ChannelHandlerContext) {
        cancelAll()
        context.fireChannelInactive()
    }

    /// Calls `act` on this loop when the client will send nothing more. Browsers half-close no live feed: it is gone.
    func whenHungUp(_ act: @escaping () -> Void) { onHangUp = act }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: requestDeadline = closing(context.channel, in: requestTimeout)
        case .body: break
        case .end:
            requestDeadline?.cancel()
            requestDeadline = nil
        }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stallDeadline?.cancel()
        stallDeadline = context.channel.isWritable ? nil : closing(context.channel, in: stallTimeout)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { onHangUp?() }
        context.fireUserInboundEventTriggered(event)
    }

    private func closing(_ channel: any Channel, in time: TimeAmount) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    private func cancelAll() {
        requestDeadline?.cancel()
        stallDeadline?.cancel()
        requestDeadline = nil
        stallDeadline = nil
        onHangUp = nil
    }
}
