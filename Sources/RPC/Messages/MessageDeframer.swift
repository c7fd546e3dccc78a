internal import NIOCore

/// Puts the messages of one direction of a stream together from DATA frames.
///
/// The length is looked at before anything is buffered, so a message over the limit costs five bytes.
struct MessageDeframer {
    /// The longest message accepted, in bytes.
    let limit: Int
    /// What the messages are, for errors: "request" or "response".
    let noun: StaticString
    /// Whether the other side has said that messages may be compressed (`grpc-encoding: gzip`).
    var allowsCompressed = false
    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var message: ByteBuffer?
    private var missing = 0

    init(limit: Int, noun: StaticString) {
        self.limit = limit
        self.noun = noun
    }

    /// Bytes of a message that isn't complete, its prefix included.
    var partialCount: Int { prefixCount + (message?.readableBytes ?? 0) }

    /// Takes the bytes of one DATA frame and hands over each message that is now complete.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer, _ complete: (InboundMessage) throws(RPCError) -> Void
    ) throws(RPCError) {
        var offset = 0
        while offset < bytes.count {
            if prefixCount < MessageFraming.prefixLength {
                prefix = prefix << 8 | UInt64(bytes[offset])
                prefixCount += 1
                offset += 1
                if prefixCount == MessageFraming.prefixLength { try beginMessage() }
            } else {
                let taken = min(missing, bytes.count - offset)
                message?.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + taken]))
                missing -= taken
                offset += taken
            }
            if prefixCount == MessageFraming.prefixLength, missing == 0 {
                let whole = InboundMessage(bytes: message.take() ?? ByteBuffer(), isCompressed: prefix >> 32 != 0)
                prefix = 0
                prefixCount = 0
                try complete(whole)
            }
        }
    }

    private mutating func beginMessage() throws(RPCError) {
        let flag = prefix >> 32
        let length = Int(prefix & 0xFFFF_FFFF)
        guard flag == 0 || flag == 1 && allowsCompressed else {
            // Without an encoding agreed on, a set flag is a fault of the other side (compression.md).
            throw RPCError(.internal, "\(noun): marked as compressed without an encoding")
        }
        // A message that can't be compressed comes out a little longer than it is: five bytes for 16 KiB, and the frame.
        let longest = flag == 0 ? limit : limit + limit / 1000 + 64
        guard length <= longest else { throw MessageDeframer.tooLong(noun, limit) }
        missing = length
        // The claimed length is not trusted with memory before the bytes come.
        if length > 0 { message = ByteBufferAllocator().buffer(capacity: min(length, 64 * 1024)) }
    }

    static func tooLong(_ noun: StaticString, _ limit: Int) -> RPCError {
        RPCError(.resourceExhausted, "\(noun): longer than \(limit) bytes", reason: "MESSAGE_TOO_LARGE")
    }
}
