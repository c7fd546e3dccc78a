internal import CProtobufC

extension ProtobufDescriptor {
    /// Sets one single-valued field of a C struct from a text in a URL, whatever it was before.
    ///
    /// - Parameter path: names as JSON has them, joined by points.
    func set(
        _ path: Substring, of message: UnsafeMutableRawPointer, to value: String, _ arena: Arena
    ) throws(ProtobufError) {
        let name = path.prefix { $0 != "." }
        guard let index = self.message.pointee.index(ofJSONField: Array(name.utf8)) else {
            throw ProtobufError.unknownField(name.utf8, of: self)
        }
        let field = FieldReference(field: self.message.pointee.fields + index, message: message, owner: self)
        do throws(ProtobufError) {
            guard !field.isRepeated else { throw ProtobufError(reason: "can't be set in a URL") }
            if name.endIndex == path.endIndex {
                if case .message = field.kind { throw ProtobufError(reason: "can't be set in a URL") }
                try field.store(.url(Array(value.utf8)), at: field.member, arena)
            } else {
                guard case .message(let descriptor) = field.kind else {
                    throw ProtobufError(reason: "has no fields")
                }
                let rest = path[path.index(after: name.endIndex)...]
                try descriptor.set(rest, of: try field.present(descriptor, arena), to: value, arena)
            }
        } catch {
            throw error.inside(field.name)
        }
        if field.isOneofMember {
            field.oneofCase = field.number
        }
    }
}

extension FieldReference {
    /// The submessage of this field; a new one where there is none.
    fileprivate func present(
        _ descriptor: ProtobufDescriptor, _ arena: Arena
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        let isPresent = !isOneofMember || oneofCase == number
        if isPresent, let existing = member.load(as: UnsafeMutableRawPointer?.self) {
            return existing
        }
        let message = try arena.messageWithinBudget(descriptor)
        member.storeBytes(of: message, as: UnsafeMutableRawPointer?.self)
        return message
    }
}
