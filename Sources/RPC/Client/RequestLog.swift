internal import NIOCore

/// The requests of a call as long as they can be said again, to a server that has not seen them.
///
/// What is kept is bounded: a call that has said more than that can't be repeated, nor one whose answer has begun.
struct RequestLog: Sendable {
    /// Bytes kept before the next message is the last that fits.
    static let limit = 64 * 1024

    /// With their prefixes, in order.
    private(set) var messages: [ByteBuffer]
    private var size: Int
    /// Whether every request is here.
    private(set) var isWhole = true
    /// Whether the caller has said its last.
    private(set) var isFinished: Bool

    /// The log of a call of one request.
    init(complete message: ByteBuffer) {
        messages = [message]
        size = message.readableBytes
        isFinished = true
    }

    /// The log of a call whose requests are to come.
    init() {
        messages = []
        size = 0
        isFinished = false
    }

    mutating func append(_ framed: ByteBuffer) {
        guard isWhole else { return }
        guard size < RequestLog.limit else { return drop() }
        messages.append(framed)
        size += framed.readableBytes
    }

    /// Puts what was said so far in the encoding of the call.
    mutating func compress() {
        messages = messages.map { MessageFraming.compressed($0) }
        size = messages.reduce(0) { $0 + $1.readableBytes }
    }

    /// The caller has said its last; false when it had before.
    mutating func finish() -> Bool {
        defer { isFinished = true }
        return !isFinished
    }

    /// The call won't be repeated.
    mutating func drop() {
        isWhole = false
        messages = []
    }
}
