internal import Contracts
internal import Logging
internal import RPC
internal import Synchronization

/// One line a call: method, status, duration, the peer's role, the trace; nothing of what was said.
///
/// A unary call that went well is a line at `debug`, so that at `info` the common path writes nothing and costs nothing.
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
        let level = Self.level(outcome, kind: call.method.kind)
        if level <= .debug && !logsEveryCall { return }
        let number = LoggedCalls.count.wrappingAdd(1, ordering: .relaxed).newValue
        var metadata: Logger.Metadata = [
            LogKey.method: .string(call.method.path),
            LogKey.code: .string(outcome?.code.name ?? "OK"),
            LogKey.duration: .stringConvertible(call.elapsedNanoseconds / 1000),
            LogKey.peerRole: .string((call[.roles].map { RoleSet($0) } ?? peers.roleSet(of: call.peer)).label),
            LogKey.callID: .string("\(processTag)-\(number)"),
            LogKey.traceID: .string(call.trace.traceID),
        ]
        if let reason = outcome?.reason, !reason.isEmpty { metadata[LogKey.reason] = .string(reason) }
        logger.log(level: level, "call", metadata: metadata)
    }

    /// What the service is to blame for is louder than what the caller is.
    static func level(_ outcome: RPCError?, kind: MethodDescriptor.Kind) -> Logger.Level {
        switch outcome?.code {
        case .internal where outcome?.reason == RPCError.malformedRequest: .info
        case nil: kind == .unary ? .debug : .info
        case .internal, .unknown, .dataLoss: .error
        case .unavailable, .deadlineExceeded, .resourceExhausted, .unimplemented: .warning
        default: .info
        }
    }
}

/// Numbers the calls of the process that were logged.
private enum LoggedCalls {
    static let count = Atomic<UInt64>(0)
}
