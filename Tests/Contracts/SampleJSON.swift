@testable import ProtobufC

/// JSON in which every field of a message has a value other than its default.
struct SampleJSON {
    /// Which member of a oneof is set, counted around.
    let member: Int

    func object(_ descriptor: ProtobufDescriptor) -> String {
        Arena.lend { arena in
            let message = arena.message(descriptor)
            let fields = Array(descriptor.fields(of: message))
            let oneof = fields.filter(\.isOneofMember)
            let chosen = oneof.isEmpty ? nil : oneof[member % oneof.count].number
            let members = fields.filter { !$0.isOneofMember || $0.number == chosen }.map { field in
                let value = field.isRepeated ? "[\(self.value(field)),\(self.value(field))]" : self.value(field)
                return "\"\(field.name)\":\(value)"
            }
            return "{\(members.joined(separator: ","))}"
        }
    }

    private func value(_ field: FieldReference) -> String {
        switch field.kind {
        case .int32, .int64: "-\(field.number)"
        case .uint32: "4294967295"
        case .uint64: "\"18446744073709551615\""
        case .float, .double: "1.5"
        case .boolean: "true"
        case .enumeration: "1"
        case .text: "\"\(field.name) åäö 🍁\""
        case .bytes: "\"AAEC/w==\""
        case .message(let descriptor): object(descriptor)
        case .timestamp: "\"2026-01-31T12:00:00.000000001Z\""
        case .duration: "\"-1.5s\""
        }
    }
}
