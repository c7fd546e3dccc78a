/// A path with `{field}` segments and perhaps a `:verb` at its end, such as `/v1/sessions/{session_id}:open`.
package struct RouteTemplate: Sendable, Equatable {
    enum Segment: Sendable, Equatable {
        case literal(String)
        case field(name: String, suffix: String)
    }

    let segments: [Segment]

    /// nil if it is not a template: it must begin with `/`, and a segment is a text without braces, or one field
    /// followed by nothing or by `:` and a verb.
    package init?(_ text: String) {
        guard text.hasPrefix("/") else { return nil }
        var segments: [Segment] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if part.hasPrefix("{") {
                guard let end = part.firstIndex(of: "}") else { return nil }
                let name = part[part.index(after: part.startIndex)..<end]
                let suffix = part[part.index(after: end)...]
                guard !name.isEmpty, suffix.isEmpty || (suffix.hasPrefix(":") && suffix.count > 1) else { return nil }
                segments.append(.field(name: String(name), suffix: String(suffix)))
            } else {
                guard !part.isEmpty, !part.contains("{"), !part.contains("}") else { return nil }
                segments.append(.literal(String(part)))
            }
        }
        guard !segments.isEmpty else { return nil }
        self.segments = segments
    }

    /// The names of its fields, in order.
    package var fieldNames: [String] {
        segments.compactMap { segment in
            guard case .field(let name, _) = segment else { return nil }
            return name
        }
    }

    /// The fields' values if the path fits, decoded. A `:` ends a field's value, so that `{id}` does not swallow
    /// `abc:open`; a value that has to hold one is escaped in the path.
    func match(_ parts: [Substring]) -> [Query.Field]? {
        guard parts.count == segments.count else { return nil }
        var fields: [Query.Field] = []
        for (part, segment) in zip(parts, segments) {
            switch segment {
            case .literal(let text):
                guard part == text else { return nil }
            case .field(let name, let suffix):
                guard part.hasSuffix(suffix) else { return nil }
                let raw = part.dropLast(suffix.count)
                guard !raw.isEmpty, !raw.contains(":"), let value = URLText.decoded(raw) else { return nil }
                fields.append(Query.Field(name: name, value: value))
            }
        }
        return fields
    }
}

/// Finds what a request's verb and path lead to.
package struct RouteTable<Target: Sendable>: Sendable {
    package enum Match: Sendable {
        case found(Target, fields: [Query.Field])
        /// The path is known, the verb is not: these are, in alphabetical order.
        case otherVerbs([String])
        case unknown
    }

    private struct Route: Sendable {
        var verb: String
        var template: RouteTemplate
        var target: Target
    }

    /// By the number of segments, which is all that most paths differ in.
    private var routes: [Int: [Route]] = [:]

    package init() {}

    /// False, and nothing is added, if the path is not a template or verb and template are there already.
    package mutating func add(verb: String, path: String, target: Target) -> Bool {
        guard let template = RouteTemplate(path) else { return false }
        let key = template.segments.count
        guard !routes[key, default: []].contains(where: { $0.verb == verb && $0.template == template }) else {
            return false
        }
        routes[key, default: []].append(Route(verb: verb, template: template, target: target))
        return true
    }

    /// Everything at a path.
    ///
    /// - Parameter path: as it came, still escaped, without the query.
    package func all(at path: String) -> [(verb: String, target: Target)] {
        guard path.hasPrefix("/") else { return [] }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        return (routes[parts.count] ?? []).filter { $0.template.match(parts) != nil }.map { ($0.verb, $0.target) }
    }

    /// - Parameter path: as it came, still escaped, without the query.
    package func match(verb: String, path: String) -> Match {
        guard path.hasPrefix("/") else { return .unknown }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var verbs: Set<String> = []
        for route in routes[parts.count] ?? [] {
            guard let fields = route.template.match(parts) else { continue }
            if route.verb == verb { return .found(route.target, fields: fields) }
            verbs.insert(route.verb)
        }
        return verbs.isEmpty ? .unknown : .otherVerbs(verbs.sorted())
    }
}
