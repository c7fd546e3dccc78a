internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// What protobuf-c can't hold, or can't hold safely.
enum ShapeChecks {
    static func violations(of message: Descriptor) -> [Violation] {
        var violations: [Violation] = []
        if let cycle = cycle(from: message) {
            violations.append(
                Violation(
                    message, "contains itself (\(cycle.joined(separator: " → ")))",
                    remedy: "carry the inner ones as a repeated field beside it, or their ids"))
        }
        for field in message.fields {
            if field.containingOneof != nil, field.realContainingOneof == nil {
                violations.append(
                    Violation(
                        field, "is a proto3 optional, which protoc-c refuses",
                        remedy: "put it into a oneof of its own"))
            }
            if field.isMap {
                violations.append(
                    Violation(
                        field, "is a map, whose keys protobuf-c doesn't keep apart",
                        remedy: "use a repeated message with a key and a value"))
            }
            if field.type == .group {
                violations.append(Violation(field, "is a group", remedy: "use a message"))
            }
        }
        return violations
    }

    /// The names on the way from a message back to itself, or `nil`.
    private static func cycle(from message: Descriptor) -> [String]? {
        var visited: Set<String> = []
        func path(from current: Descriptor) -> [String]? {
            for field in current.fields where field.type == .message {
                if field.messageType.fullName == message.fullName {
                    return [current.name, message.name]
                }
                if visited.insert(field.messageType.fullName).inserted, let rest = path(from: field.messageType) {
                    return [current.name] + rest
                }
            }
            return nil
        }
        return path(from: message)
    }
}
