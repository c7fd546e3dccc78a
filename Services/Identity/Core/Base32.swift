/// Secrets as text: five random bits a character, in the alphabet of Crockford's base 32, lower case.
///
/// The alphabet has no i, l, o and u, so that a code read aloud or off a screen is not mistaken.
package enum Base32 {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// `characters` × 5 bits of randomness.
    package static func random(characters: Int, using generator: inout some RandomNumberGenerator) -> String {
        let bytes = (0..<characters).map { _ in alphabet[Int(generator.next() as UInt8) & 31] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the text is exactly `characters` of the alphabet.
    package static func isWellFormed(_ text: Substring, characters: Int) -> Bool {
        text.utf8.count == characters && text.utf8.allSatisfy(alphabet.contains)
    }

    /// What a person typed, as it was issued: letter case, spaces and hyphens don't matter, and the letters that the
    /// alphabet leaves out are read as the digits they look like. Nil if it is no secret of this length.
    ///
    /// Linear in the length of the text, which the caller has bounded.
    package static func canonical(_ typed: String, characters: Int) -> String? {
        var text = ""
        for character in typed.lowercased() where character != "-" && character != " " {
            switch character {
            case "o": text.append("0")
            case "i", "l": text.append("1")
            default: text.append(character)
            }
        }
        return isWellFormed(text[...], characters: characters) ? text : nil
    }
}
