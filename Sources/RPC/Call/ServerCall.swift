internal import NIOCore
internal import Synchronization

/// One call as the server sees it: who makes it, what it carries, and what interceptors found out about it.
public final class ServerCall: Sendable {
    /// What interceptors and handlers have attached. The first three values lie in place: few calls have more.
    private struct Attachments {
        var first: AttachedValue?
        var second: AttachedValue?
        var third: AttachedValue?
        var others: [AttachedValue] = []
        var response: BoxedResponseMetadata?

        /// Replaces the value of that name and type, or takes the first free place.
        mutating func set(_ value: AttachedValue?, name: StaticString, type: ObjectIdentifier) {
            if let first, first.has(name: name, type: type) { return self.first = value }
            if let second, second.has(name: name, type: type) { return self.second = value }
            if let third, third.has(name: name, type: type) { return self.third = value }
            if !others.isEmpty { others.removeAll { $0.has(name: name, type: type) } }
            guard let value else { return }
            if first == nil {
                first = value
            } else if second == nil {
                second = value
            } else if third == nil {
                third = value
            } else {
                others.append(value)
            }
        }

        func find(name: StaticString, type: ObjectIdentifier) -> AttachedValue? {
            if let first, first.has(name: name, type: type) { return first }
            if let second, second.has(name: name, type: type) { return second }
            if let third, third.has(name: name, type: type) { return third }
            return others.first { $0.has(name: name, type: type) }
        }
    }

    public let method: MethodDescriptor
    public let peer: Peer
    /// The request metadata, without the headers that belong to HTTP/2 and gRPC themselves.
    public let metadata: Metadata
    /// When the caller stops waiting; nil when neither the caller nor the method sets a limit.
    ///
    /// Worked out when it is asked for, from the event loops' clock: few handlers ask.
    public var deadline: ContinuousClock.Instant? {
        due.map { ContinuousClock.now.advanced(by: .nanoseconds(($0 - .now()).nanoseconds)) }
    }
    /// The same on the event loops' clock.
    private let due: NIODeadline?
    /// When the server took the call up, on the event loops' clock.
    private let began: NIODeadline
    private let attachments = Mutex(Attachments())
    /// Whether responses are compressed; see ``setCompression(_:)``.
    let compression: ResponseCompression
    private let isRequestCompressed = Atomic(false)
    private let isMetadataTooLarge = Atomic(false)

    /// The server makes one per call; tests of interceptors and handlers make their own.
    public convenience init(
        method: MethodDescriptor, peer: Peer, metadata: Metadata = [:], deadline: ContinuousClock.Instant? = nil
    ) {
        self.init(
            method: method, peer: peer, metadata: metadata, due: deadline.map { NIODeadline(at: $0) }, began: .now())
    }

    /// - Parameter began: a time that was read anyway.
    init(
        method: MethodDescriptor, peer: Peer, metadata: Metadata, due: NIODeadline?,
        began: NIODeadline, compression: ResponseCompression.Choice = .notAccepted
    ) {
        self.method = method
        self.peer = peer
        self.metadata = metadata
        self.due = due
        self.began = began
        self.compression = ResponseCompression(compression)
    }

    /// How long ago the server took the call up, in nanoseconds.
    public var elapsedNanoseconds: Int64 { (NIODeadline.now() - began).nanoseconds }

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
        attachments.withLock { $0.find(name: name, type: type) }
    }

    /// The value attached under `key`; `value` is attached first when there is none. Of several tasks that ask at once,
    /// all get the same.
    func value<Value: Sendable>(_ key: CallKey<Value>, orAttach value: @autoclosure () -> Value) -> Value {
        if let found = self[key] { return found }
        let attached = attachments.withLock { attachments -> AttachedValue in
            if let found = attachments.find(name: key.name, type: ObjectIdentifier(Value.self)) { return found }
            let attached = AttachedValueOf(value(), for: key)
            attachments.set(attached, name: key.name, type: ObjectIdentifier(Value.self))
            return attached
        }
        // The type was compared, so the downcast holds.
        return unsafeDowncast(attached, to: AttachedValueOf<Value>.self).value
    }

    @usableFromInline
    func attach(_ value: AttachedValue?, name: StaticString, type: ObjectIdentifier) {
        attachments.withLock { $0.set(value, name: name, type: type) }
    }

    // MARK: What goes along with the responses

    /// What was set so far; nil when nothing was.
    var responseMetadata: ResponseMetadataPair? {
        attachments.withLock { attachments in
            guard case .metadata(let metadata) = attachments.response else { return nil }
            return metadata
        }
    }

    /// What is more than can be sent is left out, and remembered: the call then fails.
    func changeResponseMetadata(_ change: (inout ResponseMetadataPair) -> Void) {
        attachments.withLock { attachments in
            var metadata = ResponseMetadataPair()
            if case .metadata(let found) = attachments.response { metadata = found }
            change(&metadata)
            guard metadata.canBeSent else { return isMetadataTooLarge.store(true, ordering: .relaxed) }
            attachments.response = .metadata(metadata)
        }
    }

    /// Whether more was set than ``ResponseMetadataPair/longest`` bytes.
    var hasTooMuchMetadata: Bool { isMetadataTooLarge.load(ordering: .relaxed) }

    /// Whether the request that the handler has, or has taken last, came compressed.
    public var requestWasCompressed: Bool { isRequestCompressed.load(ordering: .relaxed) }

    func noteRequest(isCompressed: Bool) {
        isRequestCompressed.store(isCompressed, ordering: .relaxed)
    }
}
