/// What a client would rather have (RFC 9110, section 12.5).
package enum ContentChoice {
    /// Entries of one field that are looked at.
    static let maximumEntries = 32

    /// The languages that the gateway writes, the first being the one for whoever asks for neither.
    package enum Language: String, CaseIterable, Sendable {
        case swedish = "sv"
        case english = "en"
    }

    /// Whether a person is to see the answer: an `Accept` that names HTML, and JSON not before it. `*/*` alone, which
    /// programs send, names nothing.
    package static func prefersHTML(accept: String?) -> Bool {
        let entries = entries(of: accept)
        let html = entries.filter { $0.name == "text/html" || $0.name == "application/xhtml+xml" }.map(\.quality).max()
        guard let html, html > 0 else { return false }
        let json = entries.first { $0.name == "application/json" }?.quality ?? 0
        return html >= json
    }

    /// The language that an `Accept-Language` rates highest, `sv-SE` counting as `sv`; the one named first of equals.
    package static func language(acceptLanguage: String?) -> Language {
        var best: (language: Language, quality: Int)?
        for entry in entries(of: acceptLanguage) where entry.quality > (best?.quality ?? 0) {
            let primary = entry.name.split(separator: "-").first.map(String.init) ?? ""
            if let language = Language(rawValue: primary) { best = (language, entry.quality) }
        }
        return best?.language ?? .swedish
    }

    /// Names in lower case with their qualities in thousandths; what can't be read is passed over.
    private static func entries(of field: String?) -> [(name: String, quality: Int)] {
        guard let field else { return [] }
        return field.split(separator: ",").prefix(maximumEntries).compactMap { entry in
            let parts = entry.split(separator: ";").map { part in part.trimmingSpace().lowercased() }
            guard let name = parts.first, !name.isEmpty else { return nil }
            guard let weight = parts.dropFirst().first(where: { $0.hasPrefix("q=") }) else { return (name, 1000) }
            guard let quality = Double(weight.dropFirst(2)), (0...1).contains(quality) else { return nil }
            return (name, Int(quality * 1000))
        }
    }
}

extension StringProtocol {
    /// Without spaces and tabs at either end, which is all that HTTP calls whitespace.
    package func trimmingSpace() -> String {
        var rest = Substring(self)
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
