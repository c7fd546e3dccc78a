internal import CProtobufC

/// A single value as it came in.
enum ScalarInput {
    /// The UTF-8 of a JSON string.
    case text([UInt8])
    /// The characters of a JSON number.
    case number([UInt8])
    case boolean(Bool)
    /// The UTF-8 of a text in a URL, which may stand for anything.
    case url([UInt8])

    /// For what JSON writes as a string.
    fileprivate var string: [UInt8]? {
        switch self {
        case .text(let text), .url(let text): text
        case .number, .boolean: nil
        }
    }

    /// For what JSON writes as a number, or, because of its width, as a string of one.
    fileprivate var digits: String? {
        switch self {
        case .text(let text), .url(let text), .number(let text): String(decoding: text, as: UTF8.self)
        case .boolean: nil
        }
    }
}

extension FieldReference {
    /// Writes a value of this field, no message other than a time, to where it belongs.
    func store(_ input: ScalarInput, at target: UnsafeMutableRawPointer, _ arena: Arena) throws(ProtobufError) {
        switch kind {
        case .int32: target.storeBytes(of: try integer(input, Int32.self), as: Int32.self)
        case .uint32: target.storeBytes(of: try integer(input, UInt32.self), as: UInt32.self)
        case .int64: target.storeBytes(of: try integer(input, Int64.self), as: Int64.self)
        case .uint64: target.storeBytes(of: try integer(input, UInt64.self), as: UInt64.self)
        case .float: target.storeBytes(of: try float(input), as: Float.self)
        case .double: target.storeBytes(of: try number(input), as: Double.self)
        case .boolean: target.storeBytes(of: try boolean(input) ? 1 : 0, as: protobuf_c_boolean.self)
        case .enumeration: target.storeBytes(of: try enumeration(input), as: Int32.self)
        case .text: try storeBytes(try text(input), at: target, arena)
        case .bytes:
            guard let text = input.string, let bytes = Base64.decode(text) else {
                throw ProtobufError(reason: "must be base64")
            }
            try storeBytes(bytes, at: target, arena)
        case .timestamp(let descriptor):
            guard let text = input.string, let parts = TimeText.parseTimestamp(text) else {
                throw ProtobufError(reason: "must be a time as in 2026-01-31T12:00:00Z")
            }
            try storeTime(parts, descriptor, at: target, arena)
        case .duration(let descriptor):
            guard let text = input.string, let parts = TimeText.parseDuration(text) else {
                throw ProtobufError(reason: "must be a duration as in 1.5s")
            }
            try storeTime(parts, descriptor, at: target, arena)
        case .message:
            throw ProtobufError(reason: "must be an object")
        }
    }

    private func integer<Integer: FixedWidthInteger>(
        _ input: ScalarInput, _ type: Integer.Type
    ) throws(ProtobufError) -> Integer {
        if let digits = input.digits, digits.utf8.first != UInt8(ascii: "+") {
            if let value = Integer(digits) { return value }
            // 1.0 and 1e3 are whole numbers too.
            if digits.utf8.count <= 32, let number = plainNumber(digits), let value = Integer(exactly: number) {
                return value
            }
        }
        throw ProtobufError(reason: "must be a whole number from \(Integer.min) to \(Integer.max)")
    }

    private func number(_ input: ScalarInput) throws(ProtobufError) -> Double {
        switch input.digits {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case let digits?:
            if let value = plainNumber(digits), value.isFinite { return value }
        case nil: break
        }
        throw ProtobufError(reason: "must be a number")
    }

    /// Only what JSON's grammar has: Double also reads hexadecimal and names.
    private func plainNumber(_ digits: String) -> Double? {
        guard digits.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
        return Double(digits)
    }

    private func float(_ input: ScalarInput) throws(ProtobufError) -> Float {
        let number = try number(input)
        let float = Float(number)
        // A number beyond the largest would become an infinity that nobody wrote.
        guard float.isInfinite == number.isInfinite else { throw ProtobufError(reason: "must fit into 32 bits") }
        return float
    }

    private func boolean(_ input: ScalarInput) throws(ProtobufError) -> Bool {
        switch input {
        case .boolean(let value): return value
        case .url(let text) where text.elementsEqual("true".utf8): return true
        case .url(let text) where text.elementsEqual("false".utf8): return false
        default: throw ProtobufError(reason: "must be true or false")
        }
    }

    /// By name, or by number, which needn't be one that has a name.
    private func enumeration(_ input: ScalarInput) throws(ProtobufError) -> Int32 {
        let descriptor = field.pointee.enumeration
        switch input {
        case .number: return try integer(input, Int32.self)
        case .text(let text), .url(let text):
            if !text.contains(0),
                let value = protobuf_c_enum_descriptor_get_value_by_name(
                    descriptor, String(decoding: text, as: UTF8.self))
            {
                return Int32(value.pointee.value)
            }
            if case .url = input, let number = Int32(String(decoding: text, as: UTF8.self)) { return number }
        case .boolean: break
        }
        let values = UnsafeBufferPointer(start: descriptor.pointee.values, count: Int(descriptor.pointee.n_values))
        let names = values.map { String(cString: $0.name) }.joined(separator: ", ")
        throw ProtobufError(reason: "must be one of \(names)")
    }

    private func text(_ input: ScalarInput) throws(ProtobufError) -> [UInt8] {
        guard let text = input.string else { throw ProtobufError(reason: "must be a text") }
        guard !text.contains(0) else { throw ProtobufError(reason: Reason.nulInText) }
        return text
    }

    private func storeBytes(
        _ bytes: [UInt8], at target: UnsafeMutableRawPointer, _ arena: Arena
    ) throws(ProtobufError) {
        var data = ProtobufCBinaryData(len: 0, data: nil)
        if !bytes.isEmpty {
            guard let storage = arena.allocateWithinBudget(bytes.count) else {
                throw ProtobufError(reason: Reason.tooLarge)
            }
            bytes.withUnsafeBytes { storage.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
            data = ProtobufCBinaryData(len: bytes.count, data: storage.assumingMemoryBound(to: UInt8.self))
        }
        target.storeBytes(of: data, as: ProtobufCBinaryData.self)
    }

    private func storeTime(
        _ parts: TimeText.Parts, _ descriptor: ProtobufDescriptor, at target: UnsafeMutableRawPointer, _ arena: Arena
    ) throws(ProtobufError) {
        let message = try arena.messageWithinBudget(descriptor)
        parts.store(into: message, descriptor)
        target.storeBytes(of: message, as: UnsafeMutableRawPointer?.self)
    }
}
