/// One line of a CSV file (RFC 4180) that a spreadsheet program reads as text and never as a formula.
///
/// Every field is quoted. A field that begins with one of `= + - @`, ASCII or full-width, a tab or a line break gets an
/// apostrophe in front of it, because a spreadsheet would run it as a formula otherwise. Strip one leading apostrophe to
/// undo it.
package enum CSVRow {
    /// U+FEFF, written before the first row: without it spreadsheet programs read UTF-8 as something else.
    package static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private static let formulaStarts: Set<Unicode.Scalar> = [
        "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
    ]

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
        if let first = field.unicodeScalars.first, formulaStarts.contains(first) { row.append(UInt8(ascii: "'")) }
        for byte in field.utf8 {
            if byte == quote { row.append(quote) }
            row.append(byte)
        }
        row.append(quote)
    }
}
