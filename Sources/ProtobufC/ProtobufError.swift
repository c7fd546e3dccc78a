/// Why bytes or JSON could not be read as a message.
///
/// Neither part ever holds the value that was refused: both may be shown to the caller and logged.
public struct ProtobufError: Error, Sendable, Hashable {
    /// The path of the field from the outermost message, as in `answers[2].text`; empty for the message as a whole.
    public var field: String
    /// What is wrong with it, in words that follow "field: ".
    public var reason: String

    /// Whether the bytes are no encoding of the message at all, so that nothing can be said of its fields. False when they
    /// are and the value of a field is refused, such as a text that isn't UTF-8.
    public var breaksEncoding: Bool

    public init(field: String = "", reason: String, breaksEncoding: Bool = false) {
        self.field = field
        self.reason = reason
        self.breaksEncoding = breaksEncoding
    }

    /// The same error as seen from the message that holds the failing one in its field `name`.
    @inline(never)
    package func inside(_ name: String) -> ProtobufError {
        ProtobufError(
            field: field.isEmpty ? name : "\(name).\(field)", reason: reason, breaksEncoding: breaksEncoding)
    }

    /// The same error as seen from the message that holds the failing one as element `index` of its field `name`.
    @inline(never)
    package func inside(_ name: String, at index: Int) -> ProtobufError {
        inside("\(name)[\(index)]")
    }
}

extension ProtobufError: CustomStringConvertible {
    /// "field: reason".
    public var description: String {
        field.isEmpty ? reason : "\(field): \(reason)"
    }
}
