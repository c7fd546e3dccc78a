internal import NIOCore

/// How an attempt at a call ended.
enum CallOutcome: Sendable {
    /// Whether the same call may be made again without the caller noticing.
    enum Repeating: Sendable {
        case never
        /// The server has run it, and has said no more than a status: what the channel's retry policy says.
        case byPolicy
        /// The server may have run it, but has not begun to answer.
        case ifIdempotent
        /// The server says that it has not run it.
        case refused
        /// It was never sent.
        case unsent
    }

    /// The one message, as it came.
    case response(InboundMessage)
    case failure(CallFailure)
}

/// A failed attempt at a call. Behind a reference, so that outcomes are as small as those of calls that go well.
final class CallFailure: Sendable {
    let error: RPCError
    let repeating: CallOutcome.Repeating
    let pushback: ResponseHeaders.Pushback

    init(error: RPCError, repeating: CallOutcome.Repeating, pushback: ResponseHeaders.Pushback = .none) {
        self.error = error
        self.repeating = repeating
        self.pushback = pushback
    }

    /// There was no connection for the call.
    convenience init(unconnected error: RPCError) {
        self.init(error: error, repeating: error.code == .unavailable ? .byPolicy : .never)
    }
}

/// The responses of a streaming call on their way to its reader.
typealias ResponseQueue = MessageQueue<CallFailure>

extension MessageQueue<CallFailure> {
    convenience init(window: Int) {
        let error = RPCError(.internal, "a response stream has one reader")
        self.init(window: window, busy: CallFailure(error: error, repeating: .never))
    }
}
