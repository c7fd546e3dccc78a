/// Whom people can write to, as the operator says it: an e-mail address, and perhaps whose it is.
package struct Contact: Sendable, Equatable {
    /// Bytes of an address at most (RFC 5321, section 4.5.3.1.3), and of a name.
    package static let maximumAddressBytes = 254
    package static let maximumNameBytes = 200

    /// Empty if none is given.
    package let name: String
    package let address: String

    /// Reads `ADDRESS` or `NAME <ADDRESS>`; nil for anything else.
    package init?(_ text: String) {
        let text = text.trimmed
        let address: String
        if text.hasSuffix(">"), let open = text.lastIndex(of: "<") {
            name = String(text[..<open]).trimmed
            address = String(text[text.index(after: open)...].dropLast())
        } else {
            name = ""
            address = text
        }
        guard Self.isAddress(address), name.utf8.count <= Self.maximumNameBytes,
            name.unicodeScalars.allSatisfy(Self.isShown), !name.contains("<"), !name.contains(">")
        else { return nil }
        self.address = address
    }

    /// What a link can hold as it is: ASCII, with nothing that ends an address or begins something else in a mailto: URL
    /// (RFC 6068).
    private static func isAddress(_ text: String) -> Bool {
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= maximumAddressBytes, halves.count == 2 else { return false }
        let labels = halves[1].split(separator: ".", omittingEmptySubsequences: false)
        return !halves[0].isEmpty && halves[0].utf8.allSatisfy { isWord($0) || "._+-".utf8.contains($0) }
            && labels.count >= 2
            && labels.allSatisfy { label in
                !label.isEmpty && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }

    /// As the pages' JSON has it.
    package var json: String { "{\"name\":\(JSONText.quoted(name)),\"address\":\(JSONText.quoted(address))}" }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
