internal import NIOCore

/// Puts the messages of one direction of a stream together from DATA frames.
///
/// The length is looked at before anything is buffered, so a message over the limit costs five bytes.
struct MessageDeframer {
    /// The memory that a message is given with its first bytes, unless it is shorter or they need more.
    private static let firstCapacity = 4 * 1024

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
        self.limit = MessageFraming.limit(limit)
        self.noun = noun
    }

    /// Bytes of a message that isn't complete, its prefix included.
    var partialCount: Int { prefixCount + (message?.readableBytes ?? 0) }

    /// The memory of a message that isn't complete, in bytes.
    var capacity: Int { message?.capacity ?? 0 }

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
                keep(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + taken]))
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
    }

    /// Takes bytes of the message itself. Memory goes by what has come, not by the length that was claimed: the buffer is
    /// doubled where it is too short, which a long message takes a handful of times.
    private mutating func keep(_ part: UnsafeRawBufferPointer) {
        if message == nil {
            let capacity = min(missing, max(part.count, MessageDeframer.firstCapacity))
            message = ByteBufferAllocator().buffer(capacity: capacity)
        }
        message?.append(part)
        missing -= part.count
    }

    static func tooLong(_ noun: StaticString, _ limit: Int) -> RPCError {
        RPCError(.resourceExhausted, "\(noun): longer than \(limit) bytes", reason: "MESSAGE_TOO_LARGE")
    }
}
