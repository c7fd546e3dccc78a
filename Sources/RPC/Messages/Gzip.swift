internal import CZlib
internal import NIOCore

/// The one message encoding beside identity (gRPC, `compression.md`): gzip (RFC 1952), by zlib.
enum Gzip {
    /// Why bytes could not be inflated.
    enum Failure: Error {
        /// They are not one whole gzip member.
        case malformed
        /// They inflate to more than the limit.
        case tooLong
    }

    /// Speed over size: messages travel between processes of one machine, or few hops further.
    private static let level: CInt = 3

    /// Inflates one gzip member that fills `bytes`. No more than `limit` bytes are ever made of it, so that a small
    /// message can't stand for a large one.
    static func inflate(_ bytes: ByteBuffer, limit: Int) throws(Failure) -> ByteBuffer {
        var stream = z_stream()
        guard gzip_inflate_init(&stream) == Z_OK else { throw .malformed }
        defer { inflateEnd(&stream) }
        let limit = MessageFraming.limit(limit)
        var output = ByteBufferAllocator().buffer(capacity: min(max(bytes.readableBytes * 4, 256), limit + 1))
        var input = bytes
        let result = input.readWithUnsafeMutableReadableBytes { readable -> (Int, Result<Void, Failure>) in
            // zlib only reads from what it takes as mutable.
            stream.next_in = readable.bindMemory(to: UInt8.self).baseAddress
            stream.avail_in = UInt32(clamping: readable.count)
            let result = run(&stream, into: &output, limit: limit)
            return (readable.count, result)
        }
        try result.get()
        return output
    }

    private static func run(
        _ stream: inout z_stream, into output: inout ByteBuffer, limit: Int
    ) -> Result<Void, Failure> {
        while true {
            // One byte more than is allowed tells a message that ends at the limit from one that goes on.
            let room = min(limit + 1 - output.readableBytes, 64 * 1024)
            guard room > 0 else { return .failure(.tooLong) }
            var code: CInt = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { free in
                stream.next_out = free.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(clamping: min(free.count, room))
                let before = Int(stream.avail_out)
                code = CZlib.inflate(&stream, Z_NO_FLUSH)
                return before - Int(stream.avail_out)
            }
            switch code {
            case Z_STREAM_END:
                guard output.readableBytes <= limit else { return .failure(.tooLong) }
                return stream.avail_in == 0 ? .success(()) : .failure(.malformed)
            case Z_OK where stream.avail_in > 0 || stream.avail_out == 0: continue
            default: return .failure(.malformed)
            }
        }
    }

    /// The bytes as one gzip member; nil when that would not make them shorter, or zlib can't.
    static func deflate(_ bytes: ByteBuffer) -> ByteBuffer? {
        var stream = z_stream()
        guard gzip_deflate_init(&stream, level) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = ByteBufferAllocator().buffer(capacity: bytes.readableBytes)
        let isShorter = input.readWithUnsafeMutableReadableBytes { readable -> (Int, Bool) in
            stream.next_in = readable.bindMemory(to: UInt8.self).baseAddress
            stream.avail_in = UInt32(clamping: readable.count)
            var code: CInt = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: readable.count) { free in
                // Just the room that the message has by itself: what doesn't fit isn't worth it.
                stream.next_out = free.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(clamping: readable.count)
                code = CZlib.deflate(&stream, Z_FINISH)
                return readable.count - Int(stream.avail_out)
            }
            return (readable.count, code == Z_STREAM_END)
        }
        return isShorter ? output : nil
    }
}
