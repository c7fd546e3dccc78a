internal import Foundation
public import RPC

extension FieldCheck {
    /// An e-mail address that mail can be sent to, as people have them: `dot-atom@domain` of RFC 5322 section 3.4.1 in
    /// ASCII, without comments, quoted parts or address literals; at most 254 characters (RFC 5321 section 4.5.3.1.3).
    /// - Returns: the address, trimmed, its domain in lower case. The part before "@" is the receiver's to read and is
    ///   left alone.
    public static func email(_ value: String, field: String = "email") throws(RPCError) -> String {
        let address = value.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !address.isEmpty else { throw .invalid(field, "must not be empty") }
        guard address.utf8.count <= 254 else { throw .invalid(field, "must have at most 254 characters") }
        let halves = address.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count == 2, isLocalPart(halves[0]), isDomain(halves[1]) else {
            throw .invalid(field, "is not an e-mail address")
        }
        return "\(halves[0])@\(halves[1].lowercased())"
    }

    /// RFC 5322 `dot-atom-text`, at most 64 characters.
    private static func isLocalPart(_ part: Substring) -> Bool {
        guard part.utf8.count <= 64 else { return false }
        return part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.utf8.allSatisfy { isLetterOrDigit($0) || atomPunctuation.contains($0) }
        }
    }

    /// Two labels or more of letters, digits and inner hyphens, the last of them not a number (RFC 1123 section 2.1).
    private static func isDomain(_ part: Substring) -> Bool {
        let labels = part.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, let last = labels.last else { return false }
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
        return areLabels && last.utf8.contains { $0 > UInt8(ascii: "9") }
    }

    private static let atomPunctuation = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        Base64URL.isInAlphabet(byte) && byte != UInt8(ascii: "-") && byte != UInt8(ascii: "_")
    }
}
