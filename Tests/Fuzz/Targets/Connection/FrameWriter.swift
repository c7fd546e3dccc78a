/// Writes HTTP/2 frames (RFC 9113) and header blocks (HPACK, RFC 7541), right ones and wrong ones.
enum FrameWriter {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    enum Kind: UInt8 {
        case data = 0x0
        case headers = 0x1
        case priority = 0x2
        case reset = 0x3
        case settings = 0x4
        case pushPromise = 0x5
        case ping = 0x6
        case goAway = 0x7
        case windowUpdate = 0x8
        case continuation = 0x9
    }

    enum Flag {
        static let endStream: UInt8 = 0x1
        static let acknowledged: UInt8 = 0x1
        static let endHeaders: UInt8 = 0x4
        static let padded: UInt8 = 0x8
        static let priority: UInt8 = 0x20
    }

    /// - Parameter length: what the frame says its length is, when that isn't the payload's.
    static func frame(
        _ kind: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8], length: Int? = nil
    ) -> [UInt8] {
        let length = length ?? payload.count
        return [UInt8(truncatingIfNeeded: length >> 16)] + big(UInt16(truncatingIfNeeded: length)) + [kind, flags]
            + big(stream) + payload
    }

    static func frame(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8]) -> [UInt8] {
        frame(kind.rawValue, flags: flags, stream: stream, payload)
    }

    static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// A message as gRPC frames it.
    static func message(_ bytes: [UInt8], flag: UInt8 = 0, length: UInt32? = nil) -> [UInt8] {
        [flag] + big(length ?? UInt32(bytes.count)) + bytes
    }
}

/// How a pair is put into a header block.
enum HeaderRepresentation: UInt8, CaseIterable {
    case withoutIndexing = 0x00
    case neverIndexed = 0x10
    case indexed = 0x40
}

extension FrameWriter {
    static func field(
        _ name: String, _ value: [UInt8], _ representation: HeaderRepresentation = .withoutIndexing
    ) -> [UInt8] {
        [representation.rawValue] + text(Array(name.utf8)) + text(value)
    }

    static func field(_ name: String, _ value: String) -> [UInt8] {
        field(name, Array(value.utf8))
    }

    /// A string without Huffman coding.
    private static func text(_ bytes: [UInt8]) -> [UInt8] {
        integer(UInt64(bytes.count), prefix: 7, mark: 0) + bytes
    }

    /// An integer whose first bits are `prefix` bits of a byte that also holds `mark` (RFC 7541, 5.1).
    static func integer(_ value: UInt64, prefix: Int, mark: UInt8) -> [UInt8] {
        let limit = UInt64(1) << UInt64(prefix) - 1
        if value < limit { return [mark | UInt8(value)] }
        var bytes = [mark | UInt8(limit)]
        var left = value - limit
        while left >= 0x80 {
            bytes.append(UInt8(left & 0x7F) | 0x80)
            left >>= 7
        }
        return bytes + [UInt8(left)]
    }
}
