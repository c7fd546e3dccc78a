internal import NIOCore

/// The requests of one call between HTTP/2, which puts them in, and the handler that takes them.
final class RequestInbox: @unchecked Sendable {
    // Unchecked: `queue` has a lock of its own; the rest is touched on the connection's event loop alone.

    typealias Item = MessageQueue<RPCError>.Item

    let queue: MessageQueue<RPCError>
    /// Bytes of the stream's window that were opened although what they hold has not been taken: those of a message
    /// that is larger than the window.
    private var openedAhead = 0
    /// What the messages that wait were counted as, beside their bytes.
    var counted = 0
    /// When the message that has begun to arrive must be complete; nil while none is awaited.
    var arrivalDue: NIODeadline?

    /// Whether the caller has said that it may compress requests.
    let mayBeCompressed: Bool
    /// Bytes of the request that was taken last, when it was inflated.
    var inflatedHeld = 0

    init(window: Int, mayBeCompressed: Bool) {
        self.mayBeCompressed = mayBeCompressed
        queue = MessageQueue(
            window: window, busy: RPCError(.internal, "a stream of requests has one reader at a time"))
    }

    /// How far the window opens for messages of that many bytes that were taken.
    func opening(forTaken count: Int) -> Int {
        let already = min(count, openedAhead)
        openedAhead -= already
        return count - already
    }

    /// How far the window opens so that the rest of a message can come of which so much is here.
    func opening(forPartial count: Int) -> Int {
        guard count > openedAhead else { return 0 }
        defer { openedAhead = count }
        return count - openedAhead
    }
}
