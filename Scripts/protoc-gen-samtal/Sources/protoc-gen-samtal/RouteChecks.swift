internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// A route can be served with nothing but the request's and the response's fields.
enum RouteChecks {
    private static let verbs: Set<String> = ["GET", "POST", "PUT", "DELETE"]

    static func violations(of method: MethodDescriptor) -> [Violation] {
        guard method.rules.hasHTTP else { return [] }
        let rule = method.rules.http
        var violations: [Violation] = []
        if method.clientStreaming {
            violations.append(
                Violation(
                    method, "takes a stream, which an HTTP request can't carry",
                    remedy: "remove its http, or take one message"))
        }
        if !verbs.contains(rule.verb) {
            violations.append(
                Violation(method, "has the HTTP verb \"\(rule.verb)\"", remedy: "use GET, POST, PUT or DELETE"))
        }
        let segments = pathFields(rule.path)
        if !rule.path.hasPrefix("/") || segments == nil {
            violations.append(
                Violation(
                    method, "has the malformed HTTP path \"\(rule.path)\"",
                    remedy: "begin it with / and close every {field}"))
        }
        for segment in segments ?? [] where !isFillable(segment, in: method.inputType) {
            violations.append(
                Violation(
                    method,
                    "has {\(segment)} in its HTTP path, which is no single text or number of "
                        + method.inputType.fullName,
                    remedy: "name one of the request's fields"))
        }
        if rule.verb == "GET" {
            violations += queryViolations(of: method, except: Set(segments ?? []))
        }
        return violations + streamViolations(of: method)
    }

    /// Two methods that one request would reach.
    static func duplicates(_ methods: [MethodDescriptor]) -> [Violation] {
        var first: [String: MethodDescriptor] = [:]
        var violations: [Violation] = []
        for method in methods where method.rules.hasHTTP {
            let route = "\(method.rules.http.verb) \(withoutNames(method.rules.http.path))"
            if let other = first[route] {
                violations.append(
                    Violation(
                        method,
                        "has the same HTTP verb and path as \(other.fullName) (\(other.fileName):\(other.line))",
                        remedy: "change one of them"))
            } else {
                first[route] = method
            }
        }
        return violations
    }

    /// The query can't carry a list, bytes or a message.
    private static func queryViolations(of method: MethodDescriptor, except path: Set<String>) -> [Violation] {
        method.inputType.fields.filter { !path.contains($0.name) }.compactMap { field in
            let isText = !field.isRepeated && field.type != .bytes && (field.type != .message || field.isTime)
            guard !isText else { return nil }
            return Violation(
                method, "is a GET, whose query can't carry the field \(field.fullName)", remedy: "make it a POST")
        }
    }

    private static func streamViolations(of method: MethodDescriptor) -> [Violation] {
        switch method.rules.http.stream {
        case .unspecified, .UNRECOGNIZED:
            guard method.serverStreaming else { return [] }
            return [
                Violation(
                    method, "returns a stream, and doesn't say how HTTP carries it",
                    remedy: "add stream: EVENTS or FILE")
            ]
        case .events:
            return streamViolations(of: method, "EVENTS", needs: "position", "string", .string)
        case .file:
            return streamViolations(of: method, "FILE", needs: "data", "bytes", .bytes)
        }
    }

    private static func streamViolations(
        of method: MethodDescriptor, _ stream: String, needs name: String, _ typeName: String,
        _ type: Google_Protobuf_FieldDescriptorProto.TypeEnum
    ) -> [Violation] {
        guard method.serverStreaming else {
            return [Violation(method, "has stream: \(stream) and returns one message", remedy: "return a stream")]
        }
        let field = method.outputType.fields.first { $0.name == name }
        guard let field, field.type == type, !field.isRepeated else {
            return [
                Violation(
                    method,
                    "has stream: \(stream), and \(method.outputType.fullName) has no field "
                        + "`\(typeName) \(name)`", remedy: "add it")
            ]
        }
        return []
    }

    /// The names in braces, or `nil` if a brace isn't closed.
    private static func pathFields(_ path: String) -> [String]? {
        var fields: [String] = []
        var rest = path[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            fields.append(String(rest[rest.index(after: open)..<close]))
            rest = rest[rest.index(after: close)...]
        }
        return rest.contains("}") ? nil : fields
    }

    /// `/v1/sessions/{session_id}` → `/v1/sessions/{}`.
    private static func withoutNames(_ path: String) -> String {
        path.replacing(/\{[^}]*\}/, with: "{}")
    }

    private static func isFillable(_ path: String, in message: Descriptor) -> Bool {
        let names = path.split(separator: ".", omittingEmptySubsequences: false)
        var current = message
        for (index, name) in names.enumerated() {
            guard let field = current.fields.first(where: { $0.name == name }), !field.isRepeated else { return false }
            if index == names.count - 1 {
                return field.type != .message && field.type != .bytes
            }
            guard field.type == .message else { return false }
            current = field.messageType
        }
        return false
    }
}

extension FieldDescriptor {
    /// A message that JSON writes as one text.
    fileprivate var isTime: Bool {
        type == .message
            && ["google.protobuf.Timestamp", "google.protobuf.Duration"].contains(messageType.fullName)
    }
}
