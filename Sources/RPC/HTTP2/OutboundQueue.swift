internal import NIOCore

/// The bytes a stream has still to send: framed messages one after the other.
///
/// A message that finds the queue empty is taken over without a copy; later ones are appended to it.
struct OutboundQueue {
    /// Nil when empty: an empty `ByteBuffer` is one object that all threads count references to.
    private var buffer: ByteBuffer?

    var count: Int { buffer?.readableBytes ?? 0 }
    var isEmpty: Bool { buffer == nil }

    mutating func append(_ framed: ByteBuffer) {
        guard var queued = buffer.take() else {
            buffer = framed.readableBytes > 0 ? framed : nil
            return
        }
        if queued.readerIndex > queued.readableBytes { queued.discardReadBytes() }
        queued.writeImmutableBuffer(framed)
        buffer = queued
    }

    /// Moves up to `length` bytes to `target` and says how many.
    mutating func take(into target: UnsafeMutablePointer<UInt8>, upTo length: Int) -> Int {
        guard var queued = buffer.take() else { return 0 }
        let taken = min(length, queued.readableBytes)
        queued.withUnsafeReadableBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: taken)
        }
        queued.moveReaderIndex(forwardBy: taken)
        if queued.readableBytes > 0 { buffer = queued }
        return taken
    }

    mutating func removeAll() {
        buffer = nil
    }
}
