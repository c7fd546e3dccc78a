internal import CProtobufC

extension FieldReference {
    /// The field's name in JSON.
    var jsonName: [UInt8] { lowerCamel(field.pointee.name) }
}

extension ProtobufCMessageDescriptor {
    /// The position in `fields` of the field that JSON calls `name`: as in the .proto, or in lowerCamelCase.
    func index(ofJSONField name: [UInt8]) -> Int? {
        allFields.firstIndex { field in
            guard let declared = field.name else { return false }
            return bytes(declared).elementsEqual(name) || lowerCamel(declared) == name
        }
    }
}

/// As protoc makes it: an underscore goes, and the letter behind it becomes a capital.
private func lowerCamel(_ name: UnsafePointer<CChar>) -> [UInt8] {
    var result: [UInt8] = []
    var afterUnderscore = false
    for byte in bytes(name) {
        if byte == UInt8(ascii: "_") {
            afterUnderscore = true
        } else {
            let isLower = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            result.append(afterUnderscore && isLower ? byte & ~0x20 : byte)
            afterUnderscore = false
        }
    }
    return result
}

private func bytes(_ name: UnsafePointer<CChar>) -> some Sequence<UInt8> {
    sequence(state: name) { position -> UInt8? in
        guard position.pointee != 0 else { return nil }
        defer { position += 1 }
        return UInt8(bitPattern: position.pointee)
    }
}
