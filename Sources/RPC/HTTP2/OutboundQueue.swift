internal import NIOCore

/// The bytes a stream has still to send: framed messages one after the other.
///
/// A message that finds the queue empty is taken over without a copy; later ones are appended to it.
struct OutboundQueue {
    private var buffer = ByteBuffer()

    var count: Int { buffer.readableBytes }
    var isEmpty: Bool { buffer.readableBytes == 0 }

    mutating func append(_ framed: ByteBuffer) {
        if isEmpty {
            buffer = framed
        } else {
            if buffer.readerIndex > buffer.readableBytes { buffer.discardReadBytes() }
            buffer.writeImmutableBuffer(framed)
        }
    }

    /// Moves up to `length` bytes to `target` and says how many.
    mutating func take(into target: UnsafeMutablePointer<UInt8>, upTo length: Int) -> Int {
        let taken = min(length, buffer.readableBytes)
        guard taken > 0 else { return 0 }
        buffer.withUnsafeReadableBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: taken)
        }
        buffer.moveReaderIndex(forwardBy: taken)
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        return taken
    }

    mutating func removeAll() {
        buffer = ByteBuffer()
    }
}
