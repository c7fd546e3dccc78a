/// What both ends know of a method before any call is made. Generated, one constant per method.
public struct MethodDescriptor: Sendable, Hashable {
    /// Which side sends one message and which sends many.
    public enum Kind: Sendable, Hashable {
        case unary
        case serverStreaming
        case clientStreaming
        case bidirectional
    }

    /// The full name of the service, such as `grpc.health.v1.Health`.
    public let service: String
    /// The name of the method within it, such as `Check`.
    public let method: String
    public let kind: Kind
    /// Whether calling twice is the same as calling once, so that a call whose connection died may be repeated.
    public let idempotent: Bool
    /// The longest request message, in bytes, that is read into memory.
    public let maxRequestBytes: Int
    /// How long a call may take when the caller sets no deadline; nil for streams that are meant to stay open.
    public let defaultDeadline: Duration?
    /// The path on the wire: `/service/method`.
    public let path: String

    public init(
        service: String, method: String, kind: Kind, idempotent: Bool, maxRequestBytes: Int, defaultDeadline: Duration?
    ) {
        self.service = service
        self.method = method
        self.kind = kind
        self.idempotent = idempotent
        self.maxRequestBytes = maxRequestBytes
        self.defaultDeadline = defaultDeadline
        self.path = "/\(service)/\(method)"
    }

    public static func == (left: MethodDescriptor, right: MethodDescriptor) -> Bool {
        left.path == right.path && left.kind == right.kind && left.idempotent == right.idempotent
            && left.maxRequestBytes == right.maxRequestBytes && left.defaultDeadline == right.defaultDeadline
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(path)
    }
}
