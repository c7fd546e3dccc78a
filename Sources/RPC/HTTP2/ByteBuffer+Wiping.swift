internal import Glibc
import NIOCore

// A connection's buffers live as long as it does, and what passed through them would stay in memory as long.

extension ByteBuffer {
    /// Overwrites what was read into the buffer, in the storage that the channel uses for every read. For a buffer of which
    /// nobody keeps a part: the session copies what it takes.
    func wipe() {
        withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            // Mutating shared storage is the purpose: the channel's pool is the only other owner.
            memset(UnsafeMutableRawPointer(mutating: start), 0, bytes.count)
        }
    }

    /// Empties the buffer. If its storage is its own again, because what was in it is written, the first bytes are
    /// overwritten; otherwise the storage goes when it is written, and memory is wiped as it is freed.
    mutating func clearAndWipe(_ count: Int) {
        clear()
        withUnsafeMutableWritableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            memset(start, 0, min(count, bytes.count))
        }
    }
}
