public import RPC
public import Storage

/// What the store's errors are to callers: one reason for one cause, in every service that has a store.
extension RPCError {
    /// - Parameter service: whose store it is, such as "chat"; the message names it.
    /// - Returns: nil for what is a fault of the service, which the runtime answers with INTERNAL.
    public init?(_ error: StorageError, of service: String) {
        switch error.code {
        case .overloaded:
            self.init(
                .resourceExhausted, "too many writes are waiting in \(service)", reason: StorageReason.overloaded,
                metadata: ["bound": Self.name(error.bound ?? .waitingWrites, of: service)])
        case .busy: self.init(.unavailable, "\(service)'s store is busy", reason: StorageReason.busy)
        // UNAVAILABLE, since nothing is wrong with the call, and RESOURCE_EXHAUSTED would tell its caller to slow down.
        case .full: self.init(.unavailable, "\(service)'s disk is full", reason: StorageReason.full)
        case .closed: self.init(.unavailable, "\(service) is stopping", reason: StorageReason.stopping)
        case .corrupt: self.init(.dataLoss, "\(service)'s store is damaged", reason: StorageReason.damaged)
        case .locked, .newerSchema, .missing, .other: return nil
        }
    }

    /// The names of the bounds of a service's store, such as "chat-waiting-writes". They name the service: an error is
    /// passed on by others, which don't count it as theirs.
    public static func storeBounds(of service: String) -> [String] {
        StorageError.Bound.allCases.map { name($0, of: service) }
    }

    private static func name(_ bound: StorageError.Bound, of service: String) -> String {
        "\(service)-\(bound.rawValue)"
    }

    /// Whether a service says that its own store keeps it from answering. Who called it passes that on as it is: it names
    /// the service, and is more than "not reachable".
    public var isOfStore: Bool { StorageReason.all.contains(reason) }
}

/// The reasons; part of the contract.
enum StorageReason {
    static let overloaded = "STORE_OVERLOADED"
    static let busy = "STORE_BUSY"
    static let full = "STORE_FULL"
    static let stopping = "STOPPING"
    static let damaged = "STORE_DAMAGED"

    static let all: Set<String> = [overloaded, busy, full, stopping, damaged]
}
