/// How a value is laid out on the wire. Groups (3 and 4) are not part of proto3.
enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthPrefixed = 2
    case fixed32 = 5
}

/// A position in a protobuf encoding; every step is checked against the end.
struct WireReader {
    static let truncated = ProtobufError(reason: "ends too early", breaksEncoding: true)
    static let malformed = ProtobufError(reason: "is not a protobuf encoding", breaksEncoding: true)
    static let wrongType = ProtobufError(reason: "has the wrong wire type", breaksEncoding: true)

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.count }

    private var left: Int { bytes.count - offset }

    /// The next field's number and wire type.
    @inline(__always)
    mutating func tag() throws(ProtobufError) -> (number: UInt32, WireType) {
        let tag = try varint(maximumBytes: 5)
        guard tag <= UInt64(UInt32.max), let wireType = WireType(rawValue: UInt8(tag & 7)), tag >> 3 != 0 else {
            throw Self.malformed
        }
        return (UInt32(tag >> 3), wireType)
    }

    /// The bytes behind a length.
    @inline(__always)
    mutating func lengthPrefixed() throws(ProtobufError) -> UnsafeRawBufferPointer {
        let length = try varint(maximumBytes: 5)
        guard length <= UInt64(left) else { throw Self.truncated }
        let start = offset
        offset += Int(length)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    @inline(__always)
    mutating func skip(_ wireType: WireType) throws(ProtobufError) {
        switch wireType {
        case .varint: _ = try varint(maximumBytes: 10)
        case .fixed64: try advance(8)
        case .lengthPrefixed: _ = try lengthPrefixed()
        case .fixed32: try advance(4)
        }
    }

    @inline(__always)
    private mutating func advance(_ count: Int) throws(ProtobufError) {
        guard count <= left else { throw Self.truncated }
        offset += count
    }

    @inline(__always)
    private mutating func varint(maximumBytes: Int) throws(ProtobufError) -> UInt64 {
        guard offset < bytes.count else { throw Self.truncated }
        let first = bytes[offset]
        offset += 1
        if first < 0x80 {
            return UInt64(first)
        }
        return try longVarint(first, maximumBytes: maximumBytes)
    }

    private mutating func longVarint(_ first: UInt8, maximumBytes: Int) throws(ProtobufError) -> UInt64 {
        var value = UInt64(first & 0x7f)
        for position in 1..<maximumBytes {
            guard offset < bytes.count else { throw Self.truncated }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7f) << UInt64(7 * position)
            if byte < 0x80 {
                return value
            }
        }
        throw Self.malformed
    }
}
