internal import NIOCore
internal import NIOHTTPTypes

/// Bounds what an answer may cost: closes the connection when what was answered is left unread for too long, and tells a
/// live feed at once when its browser has hung up.
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

    private let stallTimeout: TimeAmount
    private var stallDeadline: Scheduled<Void>?
    private var onHangUp: (() -> Void)?

    init(stallTimeout: Duration) {
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
        stallDeadline?.cancel()
        stallDeadline = nil
        onHangUp = nil
    }
}
