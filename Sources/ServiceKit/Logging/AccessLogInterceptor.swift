internal import Contracts
internal import Logging
internal import RPC
internal import Synchronization

/// One line a call: method, status, duration, the peer's role, the trace; nothing of what was said.
///
/// A unary call that went well is a line at `debug`, so that at `info` the common path writes nothing and costs nothing. So
/// is what the public gets wrong: anybody could fill the disk with lines.
struct AccessLogInterceptor: ServerInterceptor {
    private let peers: PeerRoles
    private let logger: Logger
    private let logsEveryCall: Bool
    /// Tells this process's calls from those of its next life in the same log.
    private let processTag: String

    init(service: String, peers: PeerRoles, logger: Logger) {
        self.peers = peers
        self.logger = logger
        logsEveryCall = logger.logLevel <= .debug
        processTag = service + "-" + String(UInt32.random(in: .min ... .max), radix: 36)
    }

    func begin(_ call: ServerCall) async throws(RPCError) {}

    func end(_ call: ServerCall, outcome: RPCError?) {
        let roles = call[.roles].map { RoleSet($0) } ?? peers.roleSet(of: call.peer)
        let level = Self.level(
            outcome, kind: call.method.kind,
            isOfPublic: roles == RoleSet(.gateway) && call.principal.kind != .administrator)
        if level <= .debug && !logsEveryCall { return }
        let number = LoggedCalls.count.wrappingAdd(1, ordering: .relaxed).newValue
        var metadata: Logger.Metadata = [
            LogKey.method: .string(call.method.path),
            LogKey.code: .string(outcome?.code.name ?? "OK"),
            LogKey.duration: .stringConvertible(call.elapsedNanoseconds / 1000),
            LogKey.peerRole: .string(roles.label),
            LogKey.callID: .string("\(processTag)-\(number)"),
            LogKey.traceID: .string(call.trace.traceID),
        ]
        if let reason = outcome?.reason, !reason.isEmpty { metadata[LogKey.reason] = .string(reason) }
        logger.log(level: level, "call", metadata: metadata)
    }

    /// What the service is to blame for is louder than what the caller is.
    /// - Parameter isOfPublic: The gateway calls for somebody who is no administrator.
    static func level(_ outcome: RPCError?, kind: MethodDescriptor.Kind, isOfPublic: Bool = false) -> Logger.Level {
        switch outcome?.code {
        case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .unauthenticated, .failedPrecondition,
            .outOfRange, .resourceExhausted, .cancelled:
            // Refusals for a bound are counted, and said now and then (`Refusals`).
            isOfPublic ? .debug : outcome?.code == .resourceExhausted ? .warning : .info
        case .internal where outcome?.reason == RPCError.malformedRequest: .info
        case nil: kind == .unary ? .debug : .info
        case .internal, .unknown, .dataLoss: .error
        case .unavailable, .deadlineExceeded, .unimplemented: .warning
        default: .info
        }
    }
}

/// Numbers the calls of the process that were logged.
private enum LoggedCalls {
    static let count = Atomic<UInt64>(0)
}
