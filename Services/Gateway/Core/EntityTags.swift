/// `If-Match` and `If-None-Match` (RFC 9110, section 13.1): `*`, or a list of entity tags.
package enum EntityTags: Sendable, Equatable {
    case any
    case listed([Tag])

    package struct Tag: Sendable, Equatable {
        package var isWeak: Bool
        /// With its quotes.
        package var opaque: String

        package init(isWeak: Bool, opaque: String) {
            self.isWeak = isWeak
            self.opaque = opaque
        }
    }

    /// Tags of one list that are looked at.
    package static let maximumTags = 64

    /// - Parameter field: the values of the field, joined by commas. What comes after something that is no tag is not
    ///   read: a condition that can't be read is true of nothing.
    package init(_ field: String) {
        if field.trimmingSpace() == "*" {
            self = .any
            return
        }
        var tags: [Tag] = []
        var rest = Substring(field)
        while tags.count < Self.maximumTags {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else { break }
            tags.append(Tag(isWeak: isWeak, opaque: String(rest[...end])))
            rest = rest[rest.index(after: end)...]
        }
        self = .listed(tags)
    }

    /// The weak comparison (section 8.8.3.2), which `If-None-Match` asks for.
    ///
    /// - Parameter tag: a strong one, with its quotes.
    package func matchesWeakly(_ tag: String) -> Bool {
        switch self {
        case .any: true
        case .listed(let tags): tags.contains { $0.opaque == tag }
        }
    }

    /// The strong comparison, which `If-Match` asks for.
    package func matchesStrongly(_ tag: String) -> Bool {
        switch self {
        case .any: true
        case .listed(let tags): tags.contains { !$0.isWeak && $0.opaque == tag }
        }
    }
}
