internal import Foundation
public import RPC

/// Checks of request fields. Each throws INVALID_ARGUMENT "field: reason" with the field named in the details.
public enum FieldCheck {
    /// The most Unicode scalars that one character may average: room for every emoji there is, none for marks stacked
    /// without end.
    static let scalarsPerCharacter = 12

    /// Text that a person typed.
    ///
    /// The result is trimmed of white space at both ends and in Unicode normalisation form C, so that the same words
    /// are the same bytes. Length is counted in characters as a reader sees them (extended grapheme clusters, UAX #29).
    /// - Parameters:
    ///   - minimum: the fewest characters, after trimming.
    ///   - maximum: the most characters.
    ///   - multiline: lets line breaks and tabs through; "\r\n" becomes "\n". All other control characters are refused,
    ///     and in a single line also those that reorder the text around them (U+202A…U+202E, U+2066…U+2069), with which
    ///     a name can be made to read as another.
    public static func text(
        _ value: String, field: String, min minimum: Int = 0, max maximum: Int, multiline: Bool = false
    ) throws(RPCError) -> String {
        // Before any work that grows with the text.
        guard value.unicodeScalars.count <= (maximum + 64) * scalarsPerCharacter else {
            throw tooLong(field, maximum)
        }
        let unified = multiline ? value.replacing("\r\n", with: "\n") : value
        let trimmed = unified.trimmingCharacters(in: .whitespacesAndNewlines)
        for scalar in trimmed.unicodeScalars where !isAllowed(scalar, multiline: multiline) {
            throw .invalid(field, "must not hold control characters")
        }
        let text = trimmed.utf8.allSatisfy { $0 < 0x80 } ? trimmed : trimmed.precomposedStringWithCanonicalMapping
        let count = text.count
        guard count >= minimum else {
            throw .invalid(
                field, count == 0 ? "must not be empty" : "must have at least \(minimum) characters")
        }
        guard count <= maximum, text.unicodeScalars.count <= maximum * scalarsPerCharacter else {
            throw tooLong(field, maximum)
        }
        return text
    }

    private static func tooLong(_ field: String, _ maximum: Int) -> RPCError {
        .invalid(field, "must have at most \(maximum) characters")
    }

    private static func isAllowed(_ scalar: Unicode.Scalar, multiline: Bool) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: multiline
        case 0x00..<0x20, 0x7F...0x9F: false
        case 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: multiline
        default: true
        }
    }
}
