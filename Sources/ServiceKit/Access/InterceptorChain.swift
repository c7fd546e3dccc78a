public import Contracts
public import Logging
public import RPC

/// What a server checks itself.
public enum AccessScope: Sendable {
    /// The whole access table.
    case rolesAndPrincipals
    /// The peer's role alone. For a server that only forwards calls: the service that answers checks the token, and it
    /// alone has the keys for every kind.
    case rolesOnly
}

/// The interceptors of every server and of every channel, in their one order.
public enum InterceptorChain {
    /// A server's: whose request this is part of; counting; the log, ahead of what refuses, so that refusals are counted
    /// and logged too; then who is calling, and whether they may. Deadlines are kept by the server itself.
    /// - Parameters:
    ///   - service: the service's name, for the log.
    ///   - authenticators: tried in order.
    ///   - peers: the roles of the processes that may connect.
    ///   - rules: by path; a method that isn't in it is refused.
    ///   - metrics: counts the methods that are served.
    ///   - refusals: of bounds that are counted by the answers which name them.
    public static func standard(
        service: String, authenticators: [any Authenticator], peers: PeerRoles, logger: Logger,
        scope: AccessScope = .rolesAndPrincipals, rules: [String: AccessRule] = AccessTable.rules,
        metrics: CallMetrics = CallMetrics(methods: []), refusals: Refusals? = nil
    ) -> [any ServerInterceptor] {
        [TraceInterceptor(), MetricsInterceptor(metrics)] + (refusals.map { [AnsweredBounds(refusals: $0)] } ?? []) + [
            AccessLogInterceptor(service: service, peers: peers, logger: logger),
            AccessInterceptor(
                table: CompiledAccessTable(rules, methods: metrics.methods), peers: peers,
                authenticators: authenticators, scope: scope),
        ]
    }

    /// A channel's: the role this process acts in, a trace, and a deadline for every unary call.
    package static func client(role: PeerRole) -> [any ClientInterceptor] {
        [
            ActingRoleInterceptor(role: role), TraceInterceptor(),
            DeadlineInterceptor(maximum: longestUnaryCall),
        ]
    }

    /// A unary call takes at most this long, whatever its caller says: erasing a session, the longest there is, has ten
    /// minutes.
    static let longestUnaryCall: Duration = .seconds(900)
}
