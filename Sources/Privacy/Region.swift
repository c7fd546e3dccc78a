/// Where data is kept: a country of the EU or the EEA, and perhaps more exactly, such as `se` or `se-stockholm-1`.
///
/// The GDPR applies in all of them, and nothing leaves it for a third country (Art. 44). It is what whoever runs the
/// processes declares; no program can prove it.
public struct Region: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is none, as it follows the text: "is outside the EU and the EEA".
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// The countries of the EU, and Iceland, Liechtenstein and Norway: the EEA. ISO 3166-1, in lower case.
    public static let countries: [String] = [
        "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie", "is", "it", "li",
        "lt", "lu", "lv", "mt", "nl", "no", "pl", "pt", "ro", "se", "si", "sk",
    ]
    /// Characters of a region at most.
    public static let maximumLength = 40

    /// "se-stockholm-1".
    public let name: String
    /// "se".
    public var country: String { String(name.prefix(2)) }
    public var description: String { name }

    /// Reads what an operator writes; upper case is taken for lower.
    public init(_ text: String) throws(Problem) {
        let name = text.lowercased()
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard name.utf8.count <= Self.maximumLength, parts.allSatisfy(Self.isWord) else {
            throw Problem(
                description: "is no country's code, with or without a suffix of a to z, 0 to 9 and hyphens"
                    + " (\(Self.maximumLength) characters at most)")
        }
        guard let country = parts.first.map(String.init), Self.countries.contains(country) else {
            // A provider's "eu-…" may be London or Zürich.
            throw Problem(
                description: parts.first == "eu"
                    ? "names no country, and not every such region is within the EU"
                    : "is not within the EU or the EEA")
        }
        self.name = name
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }
}
