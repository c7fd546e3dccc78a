/// What both ends know of a method before any call is made. Generated, one constant per method.
public struct MethodDescriptor: Sendable, Hashable {
    /// Which side sends one message and which sends many.
    public enum Kind: Sendable, Hashable {
        case unary
        case serverStreaming
        case clientStreaming
        case bidirectional
    }

    /// Shared by all copies: a descriptor goes along with every call, and copying it is one reference count.
    private final class Content: Sendable, Hashable {
        let service: String
        let method: String
        let path: String
        let kind: Kind
        let idempotent: Bool
        let maxRequestBytes: Int
        let maxResponseBytes: Int?
        let defaultDeadline: Duration?
        let requestHeaders: Metadata

        init(
            service: String, method: String, kind: Kind, idempotent: Bool, maxRequestBytes: Int,
            maxResponseBytes: Int?, defaultDeadline: Duration?
        ) {
            self.service = service
            self.method = method
            self.path = "/\(service)/\(method)"
            self.kind = kind
            self.idempotent = idempotent
            self.maxRequestBytes = maxRequestBytes
            self.maxResponseBytes = maxResponseBytes
            self.defaultDeadline = defaultDeadline
            requestHeaders = [":path": path]
        }

        static func == (left: Content, right: Content) -> Bool {
            left === right
                || left.path == right.path && left.kind == right.kind && left.idempotent == right.idempotent
                    && left.maxRequestBytes == right.maxRequestBytes && left.maxResponseBytes == right.maxResponseBytes
                    && left.defaultDeadline == right.defaultDeadline
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(path)
        }
    }

    private let content: Content

    /// The full name of the service, such as `grpc.health.v1.Health`.
    public var service: String { content.service }
    /// The name of the method within it, such as `Check`.
    public var method: String { content.method }
    /// The path on the wire: `/service/method`.
    public var path: String { content.path }
    public var kind: Kind { content.kind }
    /// Whether calling twice is the same as calling once, so that a call whose connection died may be repeated.
    public var idempotent: Bool { content.idempotent }
    /// The longest request message, in bytes, that is read into memory.
    public var maxRequestBytes: Int { content.maxRequestBytes }
    /// The longest response message, in bytes, that a client reads into memory; nil for what its channel says.
    public var maxResponseBytes: Int? { content.maxResponseBytes }
    /// How long a call may take when the caller sets no deadline; nil for streams that are meant to stay open.
    public var defaultDeadline: Duration? { content.defaultDeadline }

    /// The same for all copies of a descriptor, different for any two descriptors that live at the same time.
    var identity: ObjectIdentifier { ObjectIdentifier(content) }

    /// The request headers that are the same for every call of this method.
    var requestHeaders: Metadata { content.requestHeaders }

    public init(
        service: String, method: String, kind: Kind, idempotent: Bool, maxRequestBytes: Int,
        maxResponseBytes: Int? = nil, defaultDeadline: Duration?
    ) {
        content = Content(
            service: service, method: method, kind: kind, idempotent: idempotent, maxRequestBytes: maxRequestBytes,
            maxResponseBytes: maxResponseBytes, defaultDeadline: defaultDeadline)
    }
}
