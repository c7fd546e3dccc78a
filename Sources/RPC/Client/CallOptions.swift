/// How messages are encoded on their way (gRPC, `compression.md`).
public enum Compression: Sendable, Hashable {
    /// As they are.
    case identity
    /// RFC 1952. Worth its time where messages are large and the way is long; between processes of one machine it
    /// costs more than it saves.
    case gzip
}

/// What a caller says about one call.
public struct CallOptions: Sendable {
    /// What most calls leave as it is, kept apart so that they don't carry it along.
    struct Extras: Sendable {
        var responseMetadata: ResponseMetadata?
        var compression = Compression.identity
        var routingKey: String?
        var maxResponseBytes: Int?
    }

    /// The extras of a call that has some.
    final class Boxed: Sendable {
        let extras: Extras

        init(_ extras: Extras) {
            self.extras = extras
        }
    }

    /// Pairs sent beside the request. Those whose names belong to HTTP/2 or gRPC (``Metadata/isReserved(_:)``), and
    /// those whose names no header can have, are not sent.
    public var metadata: Metadata
    /// When to give up. It is sent to the server as `grpc-timeout` and enforced here as well.
    public var deadline: ContinuousClock.Instant?
    /// Whether to wait for the server to come up, until the deadline, or to fail at once with UNAVAILABLE; nil: as long as
    /// the channel says (``ClientLimits/patience``). A server that is up and refuses the call is asked once more, and then
    /// the call fails all the same.
    public var waitForReady: Bool?
    private(set) var boxed: Boxed?

    public init(metadata: Metadata = [:], timeout: Duration? = nil, waitForReady: Bool? = nil) {
        self.metadata = metadata
        self.deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
        self.waitForReady = waitForReady
    }

    private mutating func change(_ change: (inout Extras) -> Void) {
        var extras = boxed?.extras ?? Extras()
        change(&extras)
        boxed = Boxed(extras)
    }

    /// Where the metadata of the response goes; nil when nobody wants it.
    public var responseMetadata: ResponseMetadata? {
        get { boxed?.extras.responseMetadata }
        set { change { $0.responseMetadata = newValue } }
    }

    /// How requests are encoded, where that makes them shorter. Responses come as the server likes.
    public var compression: Compression {
        get { boxed?.extras.compression ?? .identity }
        set { change { $0.compression = newValue } }
    }

    /// Calls with the same key go to the same target, as long as it is there (``PickPolicy/byKey``). It stays in this
    /// process.
    public var routingKey: String? {
        get { boxed?.extras.routingKey }
        set { change { $0.routingKey = newValue } }
    }

    /// The longest response message accepted, in bytes, inflated; nil for what the method or else the channel says.
    public var maxResponseBytes: Int? {
        get { boxed?.extras.maxResponseBytes }
        set { change { $0.maxResponseBytes = newValue } }
    }
}

extension CallOptions {
    /// The longest response message accepted, in bytes.
    func responseLimit(_ method: MethodDescriptor, _ limits: ClientLimits) -> Int {
        boxed?.extras.maxResponseBytes ?? method.maxResponseBytes ?? limits.maxResponseBytes
    }
}
