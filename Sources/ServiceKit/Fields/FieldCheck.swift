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
        if let count = plainLength(value, multiline: multiline) {
            return try checked(value, count: count, field: field, minimum, maximum)
        }
        // Before any work that grows faster than the text.
        guard value.unicodeScalars.count <= (maximum + 64) * scalarsPerCharacter else {
            throw tooLong(field, maximum)
        }
        let unified = multiline ? value.replacing("\r\n", with: "\n") : value
        let trimmed = unified.trimmingCharacters(in: .whitespacesAndNewlines)
        for scalar in trimmed.unicodeScalars where !isAllowed(scalar, multiline: multiline) {
            throw .invalid(field, "must not hold control characters")
        }
        let text = trimmed.utf8.allSatisfy { $0 < 0x80 } ? trimmed : trimmed.precomposedStringWithCanonicalMapping
        guard text.unicodeScalars.count <= maximum * scalarsPerCharacter else { throw tooLong(field, maximum) }
        return try checked(text, count: text.count, field: field, minimum, maximum)
    }

    /// The length of a text that is already as it is to be kept, as nearly every text is: allowed scalars below U+0300
    /// alone, which nothing combines with and normalisation leaves as they are, and no white space at its ends.
    /// - Returns: nil for any other text, which must be looked at closely.
    private static func plainLength(_ value: String, multiline: Bool) -> Int? {
        var count = 0
        var lead: UInt8 = 0
        for byte in value.utf8 {
            switch byte {
            case 0x80..<0xC0:
                // U+0080 to U+00A0: control characters, and a space that may have to be trimmed.
                if lead == 0xC2, byte <= 0xA0 { return nil }
                lead = 0
                continue
            case 0x20..<0x7F: break
            case 0x09, 0x0A: if !multiline { return nil }
            case 0xC2...0xCB: lead = byte
            default: return nil
            }
            count += 1
        }
        let ends = [value.utf8.first, value.utf8.last]
        return ends.contains { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A } ? nil : count
    }

    private static func checked(
        _ text: String, count: Int, field: String, _ minimum: Int, _ maximum: Int
    ) throws(RPCError) -> String {
        guard count >= minimum else {
            throw .invalid(field, count == 0 ? "must not be empty" : "must have at least \(minimum) characters")
        }
        guard count <= maximum else { throw tooLong(field, maximum) }
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
