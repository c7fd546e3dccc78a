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

/// The interceptors of every server, in their one order.
public enum InterceptorChain {
    /// Log first, so that refusals are logged too; then who is calling, and whether they may.
    /// - Parameters:
    ///   - service: the service's name, for the log.
    ///   - authenticators: tried in order.
    ///   - peers: the roles of the processes that may connect.
    ///   - rules: by path; a method that isn't in it is refused.
    public static func standard(
        service: String, authenticators: [any Authenticator], peers: PeerRoles, logger: Logger,
        scope: AccessScope = .rolesAndPrincipals, rules: [String: AccessRule] = AccessTable.rules
    ) -> [any ServerInterceptor] {
        [
            AccessLogInterceptor(service: service, peers: peers, logger: logger),
            AccessInterceptor(
                table: CompiledAccessTable(rules), peers: peers, authenticators: authenticators, scope: scope),
        ]
    }
}
