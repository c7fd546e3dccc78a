/// The page that a person sees instead of the one they asked for, in their language. It repeats nothing of what they
/// sent.
package struct ErrorPage: Sendable {
    private let template: String
    private let support: Contact?

    /// - Parameters:
    ///   - template: HTML with `{{language}}`, `{{title}}`, `{{text}}`, `{{home}}`, `{{support}}`, `{{footer}}` and
    ///     `{{status}}` in it.
    ///   - support: whom people write to; nil: nobody is named.
    package init(template: String, support: Contact? = nil) {
        self.template = template
        self.support = support
    }

    /// The page for an HTTP status.
    package func html(status: Int, language: ContentChoice.Language) -> String {
        let texts = Self.texts(status: status, language)
        let values = [
            ("language", language.rawValue), ("status", String(status)), ("title", texts.title), ("text", texts.text),
            ("home", language == .swedish ? "Till startsidan" : "To the start page"),
            ("support", supportHTML(language)),
            (
                "footer",
                language == .swedish
                    ? "Samtal – frågor och svar i stunden, raderade när tiden är ute."
                    : "Samtal – live questions and answers, erased when their time is up."
            ),
        ]
        return values.reduce(template) { page, value in
            page.split(separator: "{{\(value.0)}}", omittingEmptySubsequences: false).joined(separator: value.1)
        }
    }

    /// A paragraph; empty if nobody is named. An address holds nothing that HTML reads.
    private func supportHTML(_ language: ContentChoice.Language) -> String {
        guard let support else { return "" }
        let words = language == .swedish ? "Behöver du hjälp? Skriv till" : "Need help? Write to"
        let link = "<a href=\"mailto:\(support.address)\">\(support.address)</a>"
        return "<p class=\"faint\">\(words) \(link)</p>"
    }

    static func texts(status: Int, _ language: ContentChoice.Language) -> (title: String, text: String) {
        let (swedish, english) = texts(status: status)
        return language == .swedish ? swedish : english
    }

    private typealias Texts = (title: String, text: String)

    private static func texts(status: Int) -> (swedish: Texts, english: Texts) {
        switch status {
        case 404:
            (
                ("Sidan finns inte", "Kontrollera adressen, eller öppna länken som du fick på nytt."),
                ("There is no such page", "Check the address, or open the link that you were given once more.")
            )
        case 405, 501:
            (
                ("Så kan sidan inte användas", "Öppna sidan i en webbläsare, med länken som du fick."),
                ("This page can't be used like that", "Open the page in a browser, with the link that you were given.")
            )
        case 429:
            (
                (
                    "För många förfrågningar",
                    "Det kom många förfrågningar från ditt nät. Vänta en stund och ladda sedan om sidan."
                ),
                ("Too many requests", "Many requests came from your network. Wait a moment, then reload the page.")
            )
        case 500...:
            (
                ("Något gick fel", "Felet är vårt. Vänta en stund och ladda sedan om sidan."),
                ("Something went wrong", "The fault is ours. Wait a moment, then reload the page.")
            )
        default:
            (
                ("Förfrågan gick inte att förstå", "Kontrollera adressen, eller öppna länken som du fick på nytt."),
                ("The request wasn't understood", "Check the address, or open the link that you were given once more.")
            )
        }
    }
}
