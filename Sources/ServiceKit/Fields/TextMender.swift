/// Makes of a text, as it comes from a keyboard, a word processor or a web page, the text that is kept. One pass.
///
/// Mended, because nothing is lost by it:
/// - CR LF, CR, VT, FF, SO, U+0085, U+2028 and U+2029 become LF; word processors write these for their breaks of lines,
///   columns and pages. In a single line a run of breaks and tabs becomes one space.
/// - Word's own hyphens, U+001E and U+001F, become the non-breaking and the soft hyphen.
/// - Byte order marks are taken away, and white space at both ends.
/// - Embeddings and isolates of direction (U+202A…U+202C, U+2066…U+2069) are closed at the end of their line at the
///   latest, and a closing one that closes nothing is taken away: see ``DirectionalScopes``.
///
/// Refused, with the scalar named: every other control character, a noncharacter, an override of direction, and the
/// mark that is one too many on its character.
struct TextMender {
    /// What can't be mended.
    struct Refusal: Error, Equatable {
        /// As it follows the field's name. Holds no more of the text than one scalar's number.
        let reason: String

        static let tooManyMarks = Refusal(
            reason: "must have at most \(TextMender.marksPerCharacter) marks on one character")
    }

    /// The most marks on one character as it is kept, normalised. UAX #15, section 13 (Stream-Safe Text Format): beyond any
    /// character of any language, and few enough that normalising takes time in proportion to the text.
    static let marksPerCharacter = 30
    /// The same before it is normalised, which may make one of two: what is kept is counted after that
    /// (``FieldCheck/checkCharacters(of:field:)``).
    private static let marksBeforeNormalising = 2 * marksPerCharacter

    private let multiline: Bool
    private var text = String.UnicodeScalarView()
    private var scopes = DirectionalScopes()
    private var marks = 0
    private var isAfterReturn = false

    private init(multiline: Bool) {
        self.multiline = multiline
    }

    static func mended(_ value: String, multiline: Bool) throws(Refusal) -> String {
        var mender = TextMender(multiline: multiline)
        for scalar in value.unicodeScalars { try mender.take(scalar) }
        return mender.finished()
    }

    private mutating func take(_ scalar: Unicode.Scalar) throws(Refusal) {
        let followsReturn = isAfterReturn
        isAfterReturn = false
        switch scalar.value {
        case 0x0A where followsReturn: break
        case 0x0D:
            breakLine()
            isAfterReturn = true
        case 0x0A, 0x0B, 0x0C, 0x0E, 0x85, 0x2028, 0x2029: breakLine()
        case 0x09: if multiline { try add(scalar) } else { addSpace() }
        case 0x1E: try add("\u{2011}")
        case 0x1F: try add("\u{AD}")
        case 0x00..<0x20, 0x7F..<0xA0: throw Self.refusal(scalar, ", a control character")
        case 0xFEFF: break
        case 0x202D, 0x202E: throw Self.refusal(scalar, ", which turns the order of letters around")
        case 0x202A, 0x202B, 0x2066...0x2068:
            scopes.open(scalar)
            try add(scalar)
        case 0x202C, 0x2069: if scopes.close(scalar) { try add(scalar) }
        case 0xFDD0...0xFDEF: throw Self.refusal(scalar, ", which is no character")
        case let value where value & 0xFFFE == 0xFFFE: throw Self.refusal(scalar, ", which is no character")
        default: try add(scalar)
        }
    }

    private mutating func add(_ scalar: Unicode.Scalar) throws(Refusal) {
        if scalar.value >= 0x300, Self.extends(scalar) {
            marks += 1
            guard marks <= Self.marksBeforeNormalising else { throw .tooManyMarks }
        } else {
            marks = 0
            if text.isEmpty, Self.isSpace(scalar) { return }
        }
        text.append(scalar)
    }

    private mutating func breakLine() {
        guard multiline else { return addSpace() }
        marks = 0
        text.append(contentsOf: scopes.closeAll())
        if !text.isEmpty { text.append("\n") }
    }

    /// What a break or a tab is in a single line; those that follow it directly are the same space.
    private mutating func addSpace() {
        marks = 0
        if let last = text.last, last != " " { text.append(" ") }
    }

    private consuming func finished() -> String {
        while let last = text.last, Self.isSpace(last) { text.removeLast() }
        text.append(contentsOf: scopes.closeAll())
        return String(text)
    }

    /// Whether a scalar belongs to the character before it: a mark, or a joiner, which must not hide how many there are.
    static func extends(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isGraphemeExtend || scalar.value == 0x200D { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return properties.canonicalCombiningClass != .notReordered
        }
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.value == 0x200B
    }

    private static func refusal(_ scalar: Unicode.Scalar, _ what: String) -> Refusal {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return Refusal(
            reason: "must not hold U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)\(what)")
    }
}
