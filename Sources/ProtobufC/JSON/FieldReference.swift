internal import CProtobufC
internal import Glibc

/// One field of one C struct.
struct FieldReference {
    let field: UnsafePointer<ProtobufCFieldDescriptor>
    let message: UnsafeMutableRawPointer
    let owner: ProtobufDescriptor

    /// What JSON makes of a value of the field.
    enum Kind {
        case int32, uint32, int64, uint64, float, double, boolean, enumeration, text, bytes
        case message(ProtobufDescriptor)
        case timestamp(ProtobufDescriptor)
        case duration(ProtobufDescriptor)
    }

    var name: String { String(cString: field.pointee.name) }
    var number: UInt32 { field.pointee.id }
    var isRepeated: Bool { field.pointee.isRepeated }
    var isOneofMember: Bool { field.pointee.isOneofMember }

    /// Where the value is; for a repeated field, where the pointer to the array is.
    var member: UnsafeMutableRawPointer { message + Int(field.pointee.offset) }

    private var quantifier: UnsafeMutableRawPointer { message + Int(field.pointee.quantifier_offset) }

    /// The number of elements of a repeated field.
    var count: Int {
        get { quantifier.load(as: Int.self) }
        nonmutating set { quantifier.storeBytes(of: newValue, as: Int.self) }
    }

    /// The elements of a repeated field.
    var elements: UnsafeMutableRawPointer? {
        get { member.load(as: UnsafeMutableRawPointer?.self) }
        nonmutating set { member.storeBytes(of: newValue, as: UnsafeMutableRawPointer?.self) }
    }

    /// The number of the oneof's member that is set, or 0.
    var oneofCase: UInt32 {
        get { quantifier.load(as: UInt32.self) }
        nonmutating set { quantifier.storeBytes(of: newValue, as: UInt32.self) }
    }

    var kind: Kind {
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32: return .int32
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: return .uint32
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64: return .int64
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: return .uint64
        case PROTOBUF_C_TYPE_FLOAT: return .float
        case PROTOBUF_C_TYPE_DOUBLE: return .double
        case PROTOBUF_C_TYPE_BOOL: return .boolean
        case PROTOBUF_C_TYPE_ENUM: return .enumeration
        case PROTOBUF_C_TYPE_MESSAGE:
            let descriptor = owner.submessage(number) ?? ProtobufDescriptor(field.pointee.submessage)
            if strcmp(descriptor.message.pointee.name, "google.protobuf.Timestamp") == 0 {
                return .timestamp(descriptor)
            }
            if strcmp(descriptor.message.pointee.name, "google.protobuf.Duration") == 0 {
                return .duration(descriptor)
            }
            return .message(descriptor)
        default: return owner.isText(number) ? .text : .bytes
        }
    }

    /// Bytes from one element of a repeated field to the next.
    var stride: Int {
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES: MemoryLayout<ProtobufCBinaryData>.stride
        case PROTOBUF_C_TYPE_MESSAGE: MemoryLayout<UnsafeRawPointer>.stride
        default: field.pointee.is64Bit ? 8 : 4
        }
    }

    /// Whether a field outside a oneof has its default value, which isn't written.
    var isDefault: Bool {
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_MESSAGE, PROTOBUF_C_TYPE_STRING: member.load(as: UnsafeRawPointer?.self) == nil
        case PROTOBUF_C_TYPE_BYTES: member.load(as: ProtobufCBinaryData.self).len == 0
        default: field.pointee.is64Bit ? member.load(as: UInt64.self) == 0 : member.load(as: UInt32.self) == 0
        }
    }
}

extension ProtobufDescriptor {
    /// The fields of a C struct of this message, by number.
    func fields(of message: UnsafeMutableRawPointer) -> some Sequence<FieldReference> {
        let fields = self.message.pointee.allFields
        return fields.indices.lazy.map { index in
            FieldReference(field: fields.baseAddress! + index, message: message, owner: self)
        }
    }

    /// Refuses a text that isn't UTF-8 or holds a NUL; protobuf-c checks neither.
    func checkTexts(_ message: UnsafeMutableRawPointer) throws(ProtobufError) {
        for field in fields(of: message) {
            switch field.kind {
            case .text:
                try field.forEachValue { value throws(ProtobufError) in
                    let text = value.load(as: ProtobufCBinaryData.self)
                    _ = try FieldReading.text(text.data, text.len, "")
                }
            case .message(let descriptor):
                try field.forEachValue { value throws(ProtobufError) in
                    guard let message = value.load(as: UnsafeMutableRawPointer?.self) else { return }
                    try descriptor.checkTexts(message)
                }
            default: break
            }
        }
    }
}

extension FieldReference {
    /// Calls `body` with where each value is that is set: none, one, or the elements. Errors get the field's path.
    fileprivate func forEachValue(
        _ body: (UnsafeRawPointer) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        guard isRepeated else {
            guard !isOneofMember || oneofCase == number else { return }
            do throws(ProtobufError) {
                try body(member)
            } catch {
                throw error.inside(name)
            }
            return
        }
        guard let elements else { return }
        for index in 0..<count {
            do throws(ProtobufError) {
                try body(elements + index * stride)
            } catch {
                throw error.inside(name, at: index)
            }
        }
    }
}

extension ProtobufCFieldDescriptor {
    fileprivate var is64Bit: Bool {
        switch type {
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_UINT64,
            PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_DOUBLE:
            true
        default: false
        }
    }
}
