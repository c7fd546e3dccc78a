internal import Contracts
internal import Logging
internal import RPC
internal import Synchronization

/// One line a call: method, status, duration, the peer's role; nothing of what was said.
///
/// A unary call that went well is a line at `debug`, so that at `info` the common path writes nothing and the health
/// checks that monitors send cost two comparisons.
struct AccessLogInterceptor: ServerInterceptor {
    /// What `begin` leaves for `end`.
    struct Record: Sendable {
        var began: ContinuousClock.Instant
        var number: UInt64
    }

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

    func begin(_ call: ServerCall) async throws(RPCError) {
        if !logsEveryCall && CompiledAccessTable.isOpen(call.method.service) { return }
        let number = CallNumber.next.wrappingAdd(1, ordering: .relaxed).newValue
        call[.accessLogRecord] = Record(began: .now, number: number)
    }

    func end(_ call: ServerCall, outcome: RPCError?) {
        let level = Self.level(outcome, kind: call.method.kind)
        if level <= .debug && !logsEveryCall { return }
        var metadata: Logger.Metadata = [
            LogKey.method: .string(call.method.path),
            LogKey.code: .string(outcome?.code.name ?? "OK"),
            LogKey.peerRole: .string(call[.roles].map { RoleSet($0).label } ?? peers.roleSet(of: call.peer.uid).label),
        ]
        if let reason = outcome?.reason, !reason.isEmpty { metadata[LogKey.reason] = .string(reason) }
        if let record = call[.accessLogRecord] {
            metadata[LogKey.duration] = .stringConvertible(record.began.duration(to: .now).microseconds)
            metadata[LogKey.callID] = .string("\(processTag)-\(record.number)")
        }
        logger.log(level: level, "call", metadata: metadata)
    }

    /// What the service is to blame for is louder than what the caller is.
    static func level(_ outcome: RPCError?, kind: MethodDescriptor.Kind) -> Logger.Level {
        switch outcome?.code {
        case nil: kind == .unary ? .debug : .info
        case .internal, .unknown, .dataLoss: .error
        case .unavailable, .deadlineExceeded, .resourceExhausted, .unimplemented: .warning
        default: .info
        }
    }
}

/// Counts the calls of the process.
private enum CallNumber {
    static let next = Atomic<UInt64>(0)
}

extension CallKey where Value == AccessLogInterceptor.Record {
    static var accessLogRecord: CallKey<AccessLogInterceptor.Record> { CallKey("samtal.access-log") }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
