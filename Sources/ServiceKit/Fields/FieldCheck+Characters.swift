internal import RPC

extension FieldCheck {
    /// The most scalars in one character as a reader sees it (extended grapheme cluster, UAX #29). The longest emoji there
    /// is has 10, the longest flag 14, a syllable of Tibetan or Khmer about as many; 30 marks fit on a few joined letters.
    static let scalarsInOneCharacter = 60

    /// Refuses a character that is made of too much: marks without end on one letter, or letters, jamo or emoji joined
    /// without end, which no marks are. Of the text as it is kept: normalising may make two marks of one, or one of two.
    static func checkCharacters(of text: String, field: String) throws(RPCError) {
        for character in text where character.utf8.count > TextMender.marksPerCharacter {
            var marks = 0
            var scalars = 0
            for scalar in character.unicodeScalars {
                scalars += 1
                marks = scalar.value >= 0x300 && TextMender.extends(scalar) ? marks + 1 : 0
                guard marks <= TextMender.marksPerCharacter else {
                    throw .invalid(field, TextMender.Refusal.tooManyMarks.reason)
                }
            }
            guard scalars <= scalarsInOneCharacter else {
                throw .invalid(field, "must have at most \(scalarsInOneCharacter) code points in one character")
            }
        }
    }
}
