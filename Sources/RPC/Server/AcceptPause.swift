internal import Glibc
public import NIOCore
internal import Synchronization

/// Stops accepting for a moment when there are no descriptors, or no memory, for another connection.
///
/// The kernel goes on saying that a connection waits, and a server that goes on asking for it spends a core on being
/// refused. One handler for every listener of a process; it belongs first in the listener's pipeline.
public final class AcceptPause: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
    // Unchecked: everything but the counter is touched on the listener's event loop alone.

    public typealias InboundIn = NIOAny

    /// How long accepting stops each time.
    public static let length: Duration = .milliseconds(250)

    private let log: @Sendable (_ errorNumber: Int32, _ omitted: Int) -> Void
    private let logLimit = LogLimit()
    private let pauses = Atomic(0)
    private var resumption: Scheduled<Void>?

    /// - Parameter log: is called with the kernel's error and how often it was not called before, ten times at once and
    ///   then once a second at most.
    public init(log: @escaping @Sendable (_ errorNumber: Int32, _ omitted: Int) -> Void) { self.log = log }

    /// How often accepting has stopped.
    public var count: Int { pauses.load(ordering: .relaxed) }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else { return context.fireErrorCaught(error) }
        switch error.errnoCode {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: pause(context.channel, error.errnoCode)
        // One that hung up before it was accepted.
        case ECONNABORTED: break
        default: context.fireErrorCaught(error)
        }
    }

    public func channelInactive(context: ChannelHandlerContext) {
        resumption?.cancel()
        context.fireChannelInactive()
    }

    public func handlerRemoved(context: ChannelHandlerContext) { resumption?.cancel() }

    private func pause(_ listener: any Channel, _ errorNumber: Int32) {
        pauses.add(1, ordering: .relaxed)
        if let omitted = logLimit.admits() { log(errorNumber, omitted) }
        guard resumption == nil else { return }
        setReading(listener, false)
        resumption = listener.eventLoop.scheduleTask(in: TimeAmount(Self.length)) {
            self.resumption = nil
            self.setReading(listener, true)
        }
    }

    /// Not by leaving reads out: after an error the listener still has one pending, and is asked at once again.
    private func setReading(_ listener: any Channel, _ isReading: Bool) {
        // It fails only when the listener is closed.
        listener.setOption(.autoRead, value: isReading).whenFailure { _ in }
    }
}
