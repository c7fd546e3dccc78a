/// Who asked for an erasure. Nobody did for an automatic one.
package enum ErasureRequester: Sendable, Equatable {
    /// An administrator of the organisation, and so the controller itself.
    case administrator
    /// Whoever runs the service, a processor who acts on the controller's documented instruction only (GDPR Art.
    /// 28(3)(a)).
    case `operator`(ErasureInstruction)

    /// As it is stored, and as a statement has it.
    package var name: String {
        switch self {
        case .administrator: "administrator"
        case .operator: "operator-on-instruction"
        }
    }

    package var instruction: ErasureInstruction? {
        switch self {
        case .administrator: nil
        case .operator(let instruction): instruction
        }
    }

    /// Nil when the two do not make a requester.
    package init?(name: String, instruction: String?) {
        switch (name, instruction) {
        case ("administrator", nil):
            self = .administrator
        case ("operator-on-instruction", .some(let text)):
            guard let instruction = ErasureInstruction(text) else { return nil }
            self = .operator(instruction)
        default:
            return nil
        }
    }
}

/// What the operator calls the controller's instruction by: a case number, the date of a letter. It stands in the
/// ledger for good, so it is to name no person.
package struct ErasureInstruction: Sendable, Equatable {
    package static let characters = 1...200
    /// With which a statement stays well within `ErasureStatement.maximumBytes`, even if each has to be escaped.
    package static let maximumBytes = 1000

    package let text: String

    /// Nil for a text that is empty, too long or more than one line. Its characters are counted where it comes in.
    package init?(_ text: String) {
        guard (1...Self.maximumBytes).contains(text.utf8.count),
            !text.unicodeScalars.contains(where: {
                [.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
            })
        else { return nil }
        self.text = text
    }
}
