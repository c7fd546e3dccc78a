internal import NIOCore
internal import ProtobufC

/// The five bytes before every gRPC message: a flag (1: compressed) and the length, big endian (gRPC over HTTP/2,
/// "Length-Prefixed-Message").
enum MessageFraming {
    static let prefixLength = 5
    /// The longest message that a prefix can announce.
    static let longestMessage = Int(UInt32.max)

    /// A limit on messages within what there can be, so that sums with it don't overflow.
    static func limit(_ limit: Int) -> Int { max(0, min(limit, longestMessage)) }

    /// The message with its prefix, in one buffer.
    static func framed<Message: ProtobufMessage>(_ message: Message) -> ByteBuffer {
        message.serialized(behind: prefixLength) { place, size in writePrefix(size, at: place) }
    }

    /// The bytes of a message with their prefix, in one buffer.
    static func framed(_ bytes: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: prefixLength + bytes.readableBytes)
        writePrefix(bytes.readableBytes, to: &buffer)
        buffer.writeImmutableBuffer(bytes)
        return buffer
    }

    /// The same message compressed, where that makes it shorter (gRPC lets every message choose).
    static func compressed(_ framed: ByteBuffer) -> ByteBuffer {
        guard let deflated = Gzip.deflate(framed.withoutPrefix) else { return framed }
        var buffer = ByteBufferAllocator().buffer(capacity: prefixLength + deflated.readableBytes)
        writePrefix(deflated.readableBytes, isCompressed: true, to: &buffer)
        buffer.writeImmutableBuffer(deflated)
        return buffer
    }

    private static func writePrefix(_ size: Int, isCompressed: Bool = false, to buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: prefixLength) { place in
            writePrefix(size, isCompressed: isCompressed, at: place)
            return prefixLength
        }
    }

    private static func writePrefix(_ size: Int, isCompressed: Bool = false, at place: UnsafeMutableRawBufferPointer) {
        place.storeBytes(of: isCompressed ? 1 : 0, as: UInt8.self)
        place.storeBytes(of: UInt32(truncatingIfNeeded: size).bigEndian, toByteOffset: 1, as: UInt32.self)
    }
}

extension ByteBuffer {
    /// The message within a framed buffer.
    var withoutPrefix: ByteBuffer {
        var copy = self
        copy.moveReaderIndex(forwardBy: min(MessageFraming.prefixLength, copy.readableBytes))
        return copy
    }
}
