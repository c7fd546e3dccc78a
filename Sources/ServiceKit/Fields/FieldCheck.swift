internal import Foundation
public import RPC

/// Checks of request fields. Each throws INVALID_ARGUMENT "field: reason" with the field named in the details.
public enum FieldCheck {
    /// The most Unicode scalars that one character may average: room for every emoji there is, none for characters
    /// joined without end.
    static let scalarsPerCharacter = 12

    /// Text that a person typed or pasted.
    ///
    /// What loses nothing by it is mended (``TextMender``), the rest refused with the reason. The result is trimmed of
    /// white space at both ends and in Unicode normalisation form C, so that the same words are the same bytes. Length
    /// is counted after that, in characters as a reader sees them (extended grapheme clusters, UAX #29). Takes time in
    /// proportion to the text.
    /// - Parameters:
    ///   - minimum: the fewest characters; from 1 on, a text that shows nothing is refused as empty.
    ///   - maximum: the most characters.
    ///   - multiline: lets line breaks and tabs through; in a single line they become spaces.
    /// - Returns: what is to be kept and shown; empty for a text that shows nothing.
    public static func text(
        _ value: String, field: String, min minimum: Int = 0, max maximum: Int, multiline: Bool = false
    ) throws(RPCError) -> String {
        if let count = plainLength(value, multiline: multiline) {
            return try checked(value, count: count, field: field, minimum, maximum)
        }
        // Before any work that takes more than a look at each scalar.
        guard value.unicodeScalars.count <= (maximum + 64) * scalarsPerCharacter else {
            throw tooLong(field, maximum)
        }
        let mended: String
        do throws(TextMender.Refusal) {
            mended = try TextMender.mended(value, multiline: multiline)
        } catch {
            throw .invalid(field, error.reason)
        }
        guard !isBlank(mended) else { return try checked("", count: 0, field: field, minimum, maximum) }
        let text = mended.utf8.allSatisfy { $0 < 0x80 } ? mended : mended.precomposedStringWithCanonicalMapping
        guard text.unicodeScalars.count <= maximum * scalarsPerCharacter else { throw tooLong(field, maximum) }
        try checkCharacters(of: text, field: field)
        return try checked(text, count: text.count, field: field, minimum, maximum)
    }

    /// The length of a text that is already as it is to be kept, as nearly every text is: allowed scalars below U+0300
    /// alone, which nothing combines with and normalisation leaves as they are, no white space at its ends, and
    /// something to see.
    /// - Returns: nil for any other text, which must be looked at closely.
    private static func plainLength(_ value: String, multiline: Bool) -> Int? {
        var count = 0
        var lead: UInt8 = 0
        var isVisible = false
        for byte in value.utf8 {
            switch byte {
            case 0x80..<0xC0:
                // U+0080 to U+00A0: control characters, and a space that may have to be trimmed.
                if lead == 0xC2, byte <= 0xA0 { return nil }
                // U+00AD is the soft hyphen, which is not seen.
                if lead != 0xC2 || byte != 0xAD { isVisible = true }
                lead = 0
                continue
            case 0x20..<0x7F: if byte > 0x20 { isVisible = true }
            case 0x09, 0x0A: if !multiline { return nil }
            case 0xC2...0xCB: lead = byte
            default: return nil
            }
            count += 1
        }
        let ends = [value.utf8.first, value.utf8.last]
        return !isVisible || ends.contains { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A } ? nil : count
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
}
