/// One line of a CSV file (RFC 4180) that a spreadsheet program reads as text and never as a formula, whichever way it
/// cuts the line into cells.
///
/// Every field is quoted, and fields are separated by commas. A program may still cut at semicolons, tabs or bars,
/// because its country's default says so, may not know quotes, or may end a row at a line break within them. So a sign
/// that begins a formula (`= + - @`, ASCII or full-width) gets an apostrophe in front of it wherever a cell may begin: at
/// the start of a field, and after each `, ; |`, tab and line break; quotes, apostrophes and what isn't seen may lie
/// between. Take one apostrophe away from before each of those signs to undo it.
///
/// A space is not taken for a separator: hardly a text would be left as it was written.
package enum CSVRow {
    /// U+FEFF, written before the first row: without it spreadsheet programs read UTF-8 as something else.
    package static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    package static func encoded(_ fields: [String]) -> [UInt8] {
        var row: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { row.append(UInt8(ascii: ",")) }
            append(field, to: &row)
        }
        row += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
        return row
    }

    private static func append(_ field: String, to row: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        row.append(quote)
        var mayBeginCell = true
        for scalar in field.unicodeScalars {
            let part = Part(scalar)
            if part == .formulaStart, mayBeginCell { row.append(UInt8(ascii: "'")) }
            switch part {
            case .separator: mayBeginCell = true
            case .passedOver: break
            case .formulaStart, .other: mayBeginCell = false
            }
            if scalar == "\"" { row.append(quote) }
            row.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        row.append(quote)
    }

    /// What a scalar is to whoever looks for the beginning of a cell.
    private enum Part {
        case separator
        case formulaStart
        /// A program may leave it out at the beginning of a cell.
        case passedOver
        case other

        init(_ scalar: Unicode.Scalar) {
            switch scalar {
            case ",", ";", "|", "\t", "\n", "\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}": self = .separator
            case "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}": self = .formulaStart
            case "\"", "'": self = .passedOver
            default:
                let properties = scalar.properties
                let isUnseen =
                    properties.isWhitespace || properties.isDefaultIgnorableCodePoint
                    || properties.generalCategory == .control || properties.generalCategory == .format
                self = isUnseen ? .passedOver : .other
            }
        }
    }
}
