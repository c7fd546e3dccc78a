internal import NIOCore

extension ByteBuffer {
    /// Appends bytes that lie elsewhere: as `writeBytes`, whose way through collections costs more than a short copy.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count) { storage in
            storage.copyMemory(from: bytes)
            return bytes.count
        }
    }
}
