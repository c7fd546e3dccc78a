internal import Foundation

/// An e-mail address as an administrator signs in with: one mailbox, no display name, no comments.
///
/// Follows RFC 5321 and RFC 6531 (UTF-8 in both parts), without the quoted local part and the address literal,
/// which no one's mailbox has and which only make two readers disagree.
package struct EmailAddress: Sendable, Equatable {
    /// RFC 5321 section 4.5.3.1.3, less the two angle brackets; counted in bytes of UTF-8.
    package static let maximumBytes = 254
    /// RFC 5321 section 4.5.3.1.1.
    package static let maximumLocalBytes = 64
    /// RFC 1035 section 2.3.4.
    package static let maximumLabelBytes = 63

    /// The address as it was written, without space around it.
    package let text: String
    /// What makes two addresses the same mailbox: canonical composition, lower case. Unique in the service.
    package let key: String

    package init(_ written: String, field: String = "email") throws(IdentityError) {
        let text = written.trimmingCharacters(in: .whitespacesAndNewlines).precomposedStringWithCanonicalMapping
        guard !text.isEmpty else { throw .invalid(field, "must not be empty") }
        guard text.utf8.count <= Self.maximumBytes else {
            throw .invalid(field, "must be at most \(Self.maximumBytes) bytes")
        }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .invalid(field, "must have one @ between mailbox and domain") }
        guard Self.isLocalPart(parts[0]) else { throw .invalid(field, "has no valid mailbox before the @") }
        guard Self.isDomain(parts[1]) else { throw .invalid(field, "has no valid domain after the @") }
        self.text = text
        self.key = text.lowercased().precomposedStringWithCanonicalMapping
    }

    /// An address read back from the store, where only checked ones are; the rules of today don't judge it again.
    package init(stored text: String, key: String) {
        self.text = text
        self.key = key
    }

    /// A dot-atom of RFC 5322 section 3.2.3, with the characters beyond ASCII of RFC 6531.
    private static func isLocalPart(_ part: Substring) -> Bool {
        guard (1...maximumLocalBytes).contains(part.utf8.count) else { return false }
        let atoms = part.split(separator: ".", omittingEmptySubsequences: false)
        return atoms.allSatisfy { !$0.isEmpty && $0.unicodeScalars.allSatisfy(isAtomScalar) }
    }

    private static func isAtomScalar(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII else { return isLetterOrDigit(scalar) || isMark(scalar) }
        return isLetterOrDigit(scalar) || "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains(scalar)
    }

    /// At least two labels: mail to a bare host name reaches nobody outside that host.
    private static func isDomain(_ part: Substring) -> Bool {
        let labels = part.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && labels.allSatisfy(isLabel)
    }

    private static func isLabel(_ label: Substring) -> Bool {
        guard (1...maximumLabelBytes).contains(label.utf8.count), label.first != "-", label.last != "-" else {
            return false
        }
        return label.unicodeScalars.allSatisfy { isLetterOrDigit($0) || isMark($0) || $0 == "-" }
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        // Fillers of Hangul are alphabetic, and show nothing.
        (scalar.properties.isAlphabetic && !scalar.properties.isDefaultIgnorableCodePoint)
            || scalar.properties.numericType == .decimal
    }

    /// Combining marks belong to letters in many scripts; controls, spaces and invisible formatting do not.
    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark: true
        default: false
        }
    }
}
