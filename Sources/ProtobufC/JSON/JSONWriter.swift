internal import CProtobufC

/// Writes C structs as proto3-JSON.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    /// - Parameter message: a C struct whose texts are valid UTF-8.
    mutating func message(_ message: UnsafeRawPointer, _ descriptor: ProtobufDescriptor) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        // Nothing is written to the struct; a field reference is made for both directions.
        for field in descriptor.fields(of: UnsafeMutableRawPointer(mutating: message)) {
            guard field.isSet else { continue }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(UInt8(ascii: "\""))
            field.appendJSONName(to: &bytes)
            append("\":")
            value(of: field)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func value(of field: FieldReference) {
        guard field.isRepeated else {
            element(field.member, field)
            return
        }
        bytes.append(UInt8(ascii: "["))
        if let elements = field.elements {
            for index in 0..<field.count {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element(elements + index * field.stride, field)
            }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func element(_ value: UnsafeRawPointer, _ field: FieldReference) {
        switch field.kind {
        case .int32: append("\(value.load(as: Int32.self))")
        case .uint32: append("\(value.load(as: UInt32.self))")
        // 64 bits are more than a JSON reader's numbers hold.
        case .int64: append("\"\(value.load(as: Int64.self))\"")
        case .uint64: append("\"\(value.load(as: UInt64.self))\"")
        case .float: number(Double(value.load(as: Float.self)), "\(value.load(as: Float.self))")
        case .double: number(value.load(as: Double.self), "\(value.load(as: Double.self))")
        case .boolean: append(value.load(as: protobuf_c_boolean.self) == 0 ? "false" : "true")
        case .enumeration: enumeration(value.load(as: Int32.self), field.field.pointee.enumeration)
        case .text:
            let data = value.load(as: ProtobufCBinaryData.self)
            text(UnsafeBufferPointer(start: data.data, count: data.len))
        case .bytes:
            let data = value.load(as: ProtobufCBinaryData.self)
            bytes.append(UInt8(ascii: "\""))
            Base64.append(UnsafeBufferPointer(start: data.data, count: data.len), to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        case .message(let descriptor):
            guard let pointer = value.load(as: UnsafeRawPointer?.self) else { return append("null") }
            message(pointer, descriptor)
        case .timestamp(let descriptor):
            time(value, descriptor, TimeText.timestamp)
        case .duration(let descriptor):
            time(value, descriptor, TimeText.duration)
        }
    }

    /// A time outside what JSON can say is null.
    private mutating func time(
        _ value: UnsafeRawPointer, _ descriptor: ProtobufDescriptor, _ text: (TimeText.Parts) -> String?
    ) {
        guard let pointer = value.load(as: UnsafeMutableRawPointer?.self),
            let parts = TimeText.Parts(pointer, descriptor), let text = text(parts)
        else { return append("null") }
        append("\"\(text)\"")
    }

    private mutating func number(_ value: Double, _ text: String) {
        if value.isNaN {
            append("\"NaN\"")
        } else if value.isInfinite {
            append(value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
        } else {
            append(text)
        }
    }

    private mutating func enumeration(_ number: Int32, _ descriptor: UnsafePointer<ProtobufCEnumDescriptor>) {
        if let value = protobuf_c_enum_descriptor_get_value(descriptor, number) {
            append("\"\(String(cString: value.pointee.name))\"")
        } else {
            append("\(number)")
        }
    }

    /// A JSON string (RFC 8259 section 7).
    private mutating func text(_ utf8: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        for (index, byte) in utf8.enumerated() {
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            bytes.append(contentsOf: utf8[start..<index])
            start = index + 1
            escape(byte)
        }
        bytes.append(contentsOf: utf8[start...])
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case UInt8(ascii: "\n"): append("\\n")
        case UInt8(ascii: "\r"): append("\\r")
        case UInt8(ascii: "\t"): append("\\t")
        default:
            let digits = Array("0123456789abcdef".utf8)
            append("\\u00")
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 0xf)])
        }
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }
}

extension FieldReference {
    fileprivate var isSet: Bool {
        if isRepeated { return count > 0 }
        return isOneofMember ? oneofCase == number : !isDefault
    }
}
