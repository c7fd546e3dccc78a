internal import CProtobufC

extension ProtobufCMessageDescriptor {
    /// The position in `fields` of the field with this number. Numbers lie in runs; most messages have one run.
    @inline(__always)
    func index(ofField number: UInt32) -> Int? {
        for run in 0..<Int(n_field_ranges) {
            let start = field_ranges[run].start_value
            let first = field_ranges[run].orig_index
            let count = field_ranges[run + 1].orig_index - first
            let position = Int(number) - Int(start)
            if position >= 0, position < Int(count) {
                return Int(first) + position
            }
        }
        return nil
    }

    var allFields: UnsafeBufferPointer<ProtobufCFieldDescriptor> {
        UnsafeBufferPointer(start: fields, count: Int(n_fields))
    }
}

extension ProtobufCFieldDescriptor {
    /// The descriptor of a field of type message.
    var submessage: UnsafePointer<ProtobufCMessageDescriptor> {
        descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }

    /// The descriptor of a field of type enum.
    var enumeration: UnsafePointer<ProtobufCEnumDescriptor> {
        descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
    }

    var isOneofMember: Bool { flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0 }

    var isRepeated: Bool { label == PROTOBUF_C_LABEL_REPEATED }

    /// How one value of the field is laid out on the wire.
    @inline(__always)
    var wireType: WireType {
        switch type {
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: .lengthPrefixed
        case PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_FLOAT: .fixed32
        case PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_DOUBLE: .fixed64
        default: .varint
        }
    }
}
