internal import CProtobufC

/// Reads over a protobuf encoding without building anything, and refuses what protobuf-c must not be given.
///
/// Checked: tags, varints, lengths, wire types against the descriptor, depth, the number of fields and elements, and
/// that a submessage which can occur once does. (protobuf says to merge such; nobody's encoder writes them, and
/// merging is where small inputs take quadratic time.)
struct WireScan {
    /// Messages within messages. Descriptors have no cycles, so a deeper one can't be declared by accident.
    static let maximumDepth = 32
    /// Fields and elements of one message, all levels together.
    static let maximumFields = 250_000

    /// How many more fields and elements may come. An encoder writes a field in two bytes at best, and a message that
    /// is mostly such is short, or is meant to take our memory.
    private var fieldsLeft: Int
    /// Whether a value may have taken the place of an earlier one: protobuf-c frees that, and nobody looks at it.
    private(set) var overwrites = false

    init(byteCount: Int) {
        fieldsLeft = min(1024 + byteCount / 3, Self.maximumFields)
    }

    /// - Throws: ``ProtobufError`` with the path of the field.
    mutating func message(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, depth: Int
    ) throws(ProtobufError) {
        guard depth <= Self.maximumDepth else { throw ProtobufError(reason: Reason.tooDeep, breaksEncoding: true) }
        var reader = WireReader(bytes)
        var seen = FieldSet()
        var hasOneofMember = false
        while !reader.isAtEnd {
            let (number, wireType) = try reader.tag()
            try spend(1)
            guard let index = descriptor.pointee.index(ofField: number) else {
                try reader.skip(wireType)
                continue
            }
            let field = descriptor.pointee.fields + index
            if field.pointee.isOneofMember {
                overwrites = overwrites || hasOneofMember
                hasOneofMember = true
            }
            do throws(ProtobufError) {
                if field.pointee.type == PROTOBUF_C_TYPE_MESSAGE {
                    guard wireType == .lengthPrefixed else { throw WireReader.wrongType }
                    if field.pointee.label != PROTOBUF_C_LABEL_REPEATED, !seen.insert(index) {
                        throw ProtobufError(reason: "occurs more than once", breaksEncoding: true)
                    }
                    try message(try reader.lengthPrefixed(), field.pointee.submessage, depth: depth + 1)
                } else {
                    if field.pointee.type == PROTOBUF_C_TYPE_BYTES, !field.pointee.isRepeated, !seen.insert(index) {
                        overwrites = true
                    }
                    try value(of: field, wireType, &reader)
                }
            } catch {
                throw error.inside(String(cString: field.pointee.name))
            }
        }
    }

    private mutating func value(
        of field: UnsafePointer<ProtobufCFieldDescriptor>, _ wireType: WireType, _ reader: inout WireReader
    ) throws(ProtobufError) {
        let expected = field.pointee.wireType
        if wireType == expected {
            try reader.skip(wireType)
        } else if wireType == .lengthPrefixed, field.pointee.label == PROTOBUF_C_LABEL_REPEATED {
            // Packed: several elements behind one tag, which the proto3 encoding allows for every scalar.
            try packed(expected, try reader.lengthPrefixed())
        } else {
            throw WireReader.wrongType
        }
    }

    private mutating func packed(_ wireType: WireType, _ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            try spend(1)
            try reader.skip(wireType)
        }
    }

    @inline(__always)
    private mutating func spend(_ count: Int) throws(ProtobufError) {
        fieldsLeft -= count
        if fieldsLeft < 0 {
            throw ProtobufError(reason: "has too many fields", breaksEncoding: true)
        }
    }
}
