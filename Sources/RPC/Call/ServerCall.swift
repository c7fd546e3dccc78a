internal import Synchronization

/// One call as the server sees it: who makes it, what it carries, and what interceptors found out about it.
public final class ServerCall: Sendable {
    /// What interceptors and handlers have attached. The first two values lie in place: few calls have more.
    private struct Attachments {
        var first: AttachedValue?
        var second: AttachedValue?
        var others: [AttachedValue] = []
        var trailers = Metadata()

        /// Replaces the value of that name and type, or takes the first free place.
        mutating func set(_ value: AttachedValue?, name: StaticString, type: ObjectIdentifier) {
            if let first, first.has(name: name, type: type) { return self.first = value }
            if let second, second.has(name: name, type: type) { return self.second = value }
            if !others.isEmpty { others.removeAll { $0.has(name: name, type: type) } }
            guard let value else { return }
            if first == nil {
                first = value
            } else if second == nil {
                second = value
            } else {
                others.append(value)
            }
        }
    }

    public let method: MethodDescriptor
    public let peer: Peer
    /// The request metadata, without the headers that belong to HTTP/2 and gRPC themselves.
    public let metadata: Metadata
    /// When the caller stops waiting; nil when neither the caller nor the method sets a limit.
    public let deadline: ContinuousClock.Instant?
    private let attachments = Mutex(Attachments())

    /// The server makes one per call; tests of interceptors and handlers make their own.
    public init(
        method: MethodDescriptor, peer: Peer, metadata: Metadata = [:], deadline: ContinuousClock.Instant? = nil
    ) {
        self.method = method
        self.peer = peer
        self.metadata = metadata
        self.deadline = deadline
    }

    /// The value attached under `key`. Safe from any task; the last one to write wins.
    @inlinable
    public subscript<Value: Sendable>(_ key: CallKey<Value>) -> Value? {
        get {
            guard let found = attached(name: key.name, type: ObjectIdentifier(Value.self)) else { return nil }
            // The type was compared, so the downcast holds.
            return unsafeDowncast(found, to: AttachedValueOf<Value>.self).value
        }
        set {
            if let newValue {
                attach(AttachedValueOf(newValue, for: key), name: key.name, type: ObjectIdentifier(Value.self))
            } else {
                attach(nil, name: key.name, type: ObjectIdentifier(Value.self))
            }
        }
    }

    @usableFromInline
    func attached(name: StaticString, type: ObjectIdentifier) -> AttachedValue? {
        attachments.withLock { attachments in
            if let first = attachments.first, first.has(name: name, type: type) { return first }
            if let second = attachments.second, second.has(name: name, type: type) { return second }
            return attachments.others.first { $0.has(name: name, type: type) }
        }
    }

    @usableFromInline
    func attach(_ value: AttachedValue?, name: StaticString, type: ObjectIdentifier) {
        attachments.withLock { $0.set(value, name: name, type: type) }
    }

    /// Adds a pair to what is sent after the response, with the status.
    public func setTrailer(_ name: String, _ value: String) {
        attachments.withLock { $0.trailers.replace(name, value) }
    }

    /// The pairs set so far.
    public var trailers: Metadata {
        attachments.withLock { $0.trailers }
    }
}
