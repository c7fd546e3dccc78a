internal import CProtobufC

/// Reads proto3-JSON (RFC 8259 text) straight into C structs.
///
/// What isn't a field of the message is an error at once, so nothing is skipped, and nesting is that of the
/// descriptors, which have no cycles.
struct JSONReader {
    private var scanner: JSONScanner
    private let arena: Arena

    init(_ text: UnsafeBufferPointer<UInt8>, arena: Arena) {
        scanner = JSONScanner(text)
        self.arena = arena
    }

    /// The whole text: one object.
    mutating func document(
        into message: UnsafeMutableRawPointer, _ descriptor: ProtobufDescriptor
    ) throws(ProtobufError) {
        guard scanner.next == UInt8(ascii: "{") else { throw ProtobufError(reason: "must be a JSON object") }
        try object(into: message, descriptor)
        guard scanner.next == nil else { throw JSONScanner.malformed }
    }

    private mutating func object(
        into message: UnsafeMutableRawPointer, _ descriptor: ProtobufDescriptor
    ) throws(ProtobufError) {
        try scanner.expect("{")
        if scanner.skip("}") { return }
        var seen = FieldSet()
        repeat {
            let name = try scanner.text()
            try scanner.expect(":")
            guard let index = descriptor.message.pointee.index(ofJSONField: name) else {
                throw ProtobufError.unknownField(name, of: descriptor)
            }
            let field = FieldReference(
                field: descriptor.message.pointee.fields + index, message: message, owner: descriptor)
            guard seen.insert(index) else { throw ProtobufError(field: field.name, reason: "is given twice") }
            try value(of: field)
        } while scanner.skip(",")
        try scanner.expect("}")
    }

    /// A value, or null, which leaves the field as it is.
    private mutating func value(of field: FieldReference) throws(ProtobufError) {
        if try scanner.skipNull() { return }
        if field.isRepeated {
            try list(of: field)
            return
        }
        do throws(ProtobufError) {
            if field.isOneofMember, field.oneofCase != 0 {
                throw ProtobufError(reason: "can't be given together with another field of its oneof")
            }
            try element(at: field.member, field)
        } catch {
            throw error.inside(field.name)
        }
        if field.isOneofMember {
            field.oneofCase = field.number
        }
    }

    private mutating func list(of field: FieldReference) throws(ProtobufError) {
        guard scanner.skip("[") else { throw ProtobufError(field: field.name, reason: "must be a list") }
        if scanner.skip("]") { return }
        var elements = GrowingArray(stride: field.stride)
        repeat {
            do throws(ProtobufError) {
                try element(at: try elements.append(arena), field)
            } catch {
                throw error.inside(field.name, at: elements.count - 1)
            }
        } while scanner.skip(",")
        try scanner.expect("]")
        field.elements = elements.storage
        field.count = elements.count
    }

    private mutating func element(
        at target: UnsafeMutableRawPointer, _ field: FieldReference
    ) throws(ProtobufError) {
        guard case .message(let descriptor) = field.kind else {
            try field.store(try scanner.scalar(), at: target, arena)
            return
        }
        guard scanner.next == UInt8(ascii: "{") else { throw ProtobufError(reason: "must be an object") }
        let message = try arena.messageWithinBudget(descriptor)
        try object(into: message, descriptor)
        target.storeBytes(of: message, as: UnsafeMutableRawPointer?.self)
    }
}

/// The elements of a repeated field while nobody knows how many there will be.
private struct GrowingArray {
    let stride: Int
    private(set) var storage: UnsafeMutableRawPointer?
    private(set) var count = 0
    private var capacity = 0

    init(stride: Int) {
        self.stride = stride
    }

    /// Room for one more, zeroed.
    mutating func append(_ arena: Arena) throws(ProtobufError) -> UnsafeMutableRawPointer {
        if count == capacity {
            try grow(arena)
        }
        guard let storage else { throw ProtobufError(reason: Reason.tooLarge) }
        let element = storage + count * stride
        element.initializeMemory(as: UInt8.self, repeating: 0, count: stride)
        count += 1
        return element
    }

    private mutating func grow(_ arena: Arena) throws(ProtobufError) {
        let larger = max(8, capacity * 2)
        guard let storage = arena.allocateWithinBudget(larger * stride) else {
            throw ProtobufError(reason: Reason.tooLarge)
        }
        if let old = self.storage {
            storage.copyMemory(from: old, byteCount: count * stride)
        }
        self.storage = storage
        capacity = larger
    }
}

extension Arena {
    /// As `message`, for a message that foreign input asks for.
    func messageWithinBudget(_ descriptor: ProtobufDescriptor) throws(ProtobufError) -> UnsafeMutableRawPointer {
        guard let message = allocateWithinBudget(descriptor.message.pointee.sizeof_message) else {
            throw ProtobufError(reason: Reason.tooLarge)
        }
        protobuf_c_message_init(descriptor.message, message)
        return message
    }
}

extension ProtobufError {
    /// Repeats the name only if it could be a field's: what else it may hold is nobody's to log.
    static func unknownField(_ name: some Sequence<UInt8>, of descriptor: ProtobufDescriptor) -> ProtobufError {
        let name = Array(name)
        let isPlain =
            name.count <= 64
            && name.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
        let reason = "is no field of \(descriptor.name)"
        return ProtobufError(
            field: isPlain && !name.isEmpty ? String(decoding: name, as: UTF8.self) : "?", reason: reason)
    }
}
