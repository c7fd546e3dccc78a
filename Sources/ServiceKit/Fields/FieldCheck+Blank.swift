extension FieldCheck {
    /// Whether a text shows nothing to a reader, however many scalars it has.
    ///
    /// Not seen are white space, what Unicode says to ignore (Default_Ignorable_Code_Point: the fillers of Hangul,
    /// joiners, variation selectors), controls, formats, private use and what is not assigned (general categories C),
    /// marks, which need something to stand on (M), and the Braille pattern without dots (U+2800).
    public static func isBlank(_ text: some StringProtocol) -> Bool {
        !text.unicodeScalars.contains(where: isVisible)
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        if (0x21..<0x7F).contains(scalar.value) { return true }
        let properties = scalar.properties
        if properties.isWhitespace || properties.isDefaultIgnorableCodePoint || scalar.value == 0x2800 { return false }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned: return false
        case .nonspacingMark, .spacingMark, .enclosingMark: return false
        default: return true
        }
    }
}
