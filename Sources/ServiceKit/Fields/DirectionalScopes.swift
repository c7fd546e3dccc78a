/// The embeddings and isolates of direction that are open at a place of a text (UAX #9).
///
/// People who write Arabic, Hebrew or Persian among other scripts need them, and so does a phone number among Arabic
/// words. One that is closed where its text ends changes nothing around the text, and can't reverse letters, so it is
/// let through; an override (U+202D, U+202E), with which a name can be made to read as another, never is. Closing what
/// is open at the end of a line, and leaving out a closing one that closes nothing, shows the same text: that is how
/// UAX #9 reads it anyway (X5a to X7, and X8 at the end of a paragraph).
struct DirectionalScopes {
    private static let popEmbedding: Unicode.Scalar = "\u{202C}"
    private static let popIsolate: Unicode.Scalar = "\u{2069}"

    /// What closes each, the outermost first.
    private var closings: [Unicode.Scalar] = []
    private var isolates = 0

    /// - Parameter scalar: one of U+202A, U+202B, U+2066, U+2067 and U+2068.
    mutating func open(_ scalar: Unicode.Scalar) {
        let isIsolate = scalar.value >= 0x2066
        closings.append(isIsolate ? Self.popIsolate : Self.popEmbedding)
        if isIsolate { isolates += 1 }
    }

    /// - Parameter scalar: U+202C or U+2069.
    /// - Returns: whether it closes anything.
    mutating func close(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == Self.popEmbedding {
            guard closings.last == Self.popEmbedding else { return false }
            closings.removeLast()
            return true
        }
        guard isolates > 0 else { return false }
        // With it, whatever embeddings were opened inside.
        while closings.popLast() == Self.popEmbedding {}
        isolates -= 1
        return true
    }

    /// What closes all that is open, the innermost first.
    mutating func closeAll() -> [Unicode.Scalar] {
        defer {
            closings = []
            isolates = 0
        }
        return closings.reversed()
    }
}
