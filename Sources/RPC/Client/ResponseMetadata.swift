internal import Synchronization

/// The metadata that came with a response, of whichever kind of call, also of one that failed.
///
/// It is filled while the call goes on, from the last attempt that was made, and may be read from any task. Names that
/// belong to HTTP/2 and gRPC are left out.
public final class ResponseMetadata: Sendable {
    private struct State {
        var initial: Metadata?
        var trailing: Metadata?
        var compressedMessages = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// What the response began with; nil as long as it has not begun, and for one that was a status alone.
    public var initial: Metadata? { state.withLock { $0.initial } }

    /// What came with the status; nil as long as the server has not sent it.
    public var trailing: Metadata? { state.withLock { $0.trailing } }

    /// How many messages came compressed.
    public var compressedMessages: Int { state.withLock { $0.compressedMessages } }

    /// Whether a message came compressed.
    public var wasCompressed: Bool { compressedMessages > 0 }

    /// Another attempt is made.
    func reset() { state.withLock { $0 = State() } }

    func began(_ metadata: Metadata) { state.withLock { $0.initial = metadata } }

    func ended(_ metadata: Metadata) { state.withLock { $0.trailing = metadata } }

    func receivedCompressed() { state.withLock { $0.compressedMessages += 1 } }
}
