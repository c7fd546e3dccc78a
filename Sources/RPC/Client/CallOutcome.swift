internal import NIOCore

/// How an attempt at a call ended.
enum CallOutcome: Sendable {
    /// Whether the same call may be made again without the caller noticing.
    enum Repeating: Sendable {
        case never
        /// The server may have run it, but has not begun to answer.
        case ifIdempotent
        /// The server has not run it.
        case always
    }

    case response(ByteBuffer)
    case failure(RPCError, Repeating)
}
