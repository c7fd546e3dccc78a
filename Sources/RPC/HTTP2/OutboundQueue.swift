internal import NIOCore

/// The bytes a stream has still to send: framed messages one after the other.
///
/// Messages are taken over as they are, so that one that goes to many streams is in memory once. Only short ones are
/// copied, behind each other: a stream of those would otherwise be a list of buffers.
struct OutboundQueue {
    /// Whole messages between the first and the short ones.
    private final class Middle {
        @exclusivity(unchecked) var buffers = CircularBuffer<ByteBuffer>()
        @exclusivity(unchecked) var count = 0
    }

    /// Messages of fewer bytes are copied when others are before them.
    private static let short = 4 * 1024

    /// Nil when empty: an empty `ByteBuffer` is one object that all threads count references to.
    private var first: ByteBuffer?
    /// Nil until it is needed.
    private var middle: Middle?
    /// Short messages, in a buffer of the queue's own. They come last.
    private var last: ByteBuffer?

    var count: Int { (first?.readableBytes ?? 0) + (last?.readableBytes ?? 0) + (middle?.count ?? 0) }
    var isEmpty: Bool { first == nil }

    mutating func append(_ framed: ByteBuffer) {
        let count = framed.readableBytes
        guard count > 0 else { return }
        if first == nil {
            first = framed
        } else if count < OutboundQueue.short {
            // Taken out, so that it is nobody else's and no copy is made to change it.
            var own = last.take() ?? ByteBufferAllocator().buffer(capacity: OutboundQueue.short)
            own.writeImmutableBuffer(framed)
            last = own
        } else {
            if let own = last.take() { appendWhole(own) }
            appendWhole(framed)
        }
    }

    private mutating func appendWhole(_ buffer: ByteBuffer) {
        let middle = middle ?? Middle()
        middle.buffers.append(buffer)
        middle.count += buffer.readableBytes
        self.middle = middle
    }

    private mutating func popFirst() -> ByteBuffer? {
        guard let middle, let buffer = middle.buffers.popFirst() else { return last.take() }
        middle.count -= buffer.readableBytes
        return buffer
    }

    /// Moves up to `length` bytes to `target` and says how many.
    mutating func take(into target: UnsafeMutablePointer<UInt8>, upTo length: Int) -> Int {
        var taken = 0
        while taken < length, var buffer = first.take() {
            let count = min(length - taken, buffer.readableBytes)
            buffer.withUnsafeReadableBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                UnsafeMutableRawPointer(target + taken).copyMemory(from: source, byteCount: count)
            }
            buffer.moveReaderIndex(forwardBy: count)
            taken += count
            first = buffer.readableBytes > 0 ? buffer : popFirst()
        }
        return taken
    }

    mutating func removeAll() {
        first = nil
        middle = nil
        last = nil
    }
}
