/// A JSON value that has exactly one spelling: RFC 8785, for the values a certificate needs.
///
/// Numbers are integers within ±(2^53 − 1), where RFC 8785's number format is plain decimal digits.
enum CanonicalJSON: Equatable {
    case string(String)
    case integer(Int64)
    case array([CanonicalJSON])
    case object([String: CanonicalJSON])

    /// The largest integer that every JSON reader holds exactly (RFC 8785, section 3.2.2.3).
    static let largestInteger: Int64 = 9_007_199_254_740_991

    var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .string(let value):
            Self.write(string: value, to: &text)
        case .integer(let value):
            text += String(value)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, name) in members.keys.sorted(by: Self.precedes).enumerated() {
                if index > 0 { text += "," }
                Self.write(string: name, to: &text)
                text += ":"
                members[name]?.write(to: &text)
            }
            text += "}"
        }
    }

    /// Names are ordered by their UTF-16 code units (RFC 8785, section 3.2.3).
    private static func precedes(_ one: String, _ other: String) -> Bool {
        one.utf16.lexicographicallyPrecedes(other.utf16)
    }

    private static func write(string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{8}": text += "\\b"
            case "\u{9}": text += "\\t"
            case "\u{A}": text += "\\n"
            case "\u{C}": text += "\\f"
            case "\u{D}": text += "\\r"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
