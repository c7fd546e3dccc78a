internal import CProtobufC

extension FieldReference {
    /// Appends the field's name in JSON.
    func appendJSONName(to bytes: inout [UInt8]) {
        for byte in LowerCamelName(field.pointee.name) {
            bytes.append(byte)
        }
    }
}

extension ProtobufCMessageDescriptor {
    /// The position in `fields` of the field that JSON calls `name`: as in the .proto, or in lowerCamelCase.
    func index(ofJSONField name: [UInt8]) -> Int? {
        allFields.firstIndex { field in
            guard let declared = field.name else { return false }
            return LowerCamelName(declared).elementsEqual(name) || DeclaredName(declared).elementsEqual(name)
        }
    }
}

/// The bytes of a name as the .proto has it.
private struct DeclaredName: Sequence, IteratorProtocol {
    private var position: UnsafePointer<CChar>

    init(_ name: UnsafePointer<CChar>) {
        position = name
    }

    mutating func next() -> UInt8? {
        guard position.pointee != 0 else { return nil }
        defer { position += 1 }
        return UInt8(bitPattern: position.pointee)
    }
}

/// The bytes of a name as protoc makes it for JSON: an underscore goes, and the letter behind it becomes a capital.
private struct LowerCamelName: Sequence, IteratorProtocol {
    private var declared: DeclaredName

    init(_ name: UnsafePointer<CChar>) {
        declared = DeclaredName(name)
    }

    mutating func next() -> UInt8? {
        var afterUnderscore = false
        while let byte = declared.next() {
            if byte != UInt8(ascii: "_") {
                let isLower = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                return afterUnderscore && isLower ? byte & ~0x20 : byte
            }
            afterUnderscore = true
        }
        return nil
    }
}
