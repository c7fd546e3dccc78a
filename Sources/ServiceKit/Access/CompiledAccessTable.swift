internal import Contracts

/// One method's rule, laid out so that a decision is a few bit operations.
struct CompiledAccessRule: Sendable {
    /// By the position of the role.
    private var gateway = PrincipalSet()
    private var service = PrincipalSet()
    private var `operator` = PrincipalSet()
    private var backend = PrincipalSet()

    init(_ rule: AccessRule) {
        for grant in rule.grants {
            let principals = PrincipalSet(grant.principals)
            switch grant.role {
            case .gateway: gateway.formUnion(principals)
            case .service: service.formUnion(principals)
            case .operator: `operator`.formUnion(principals)
            case .backend: backend.formUnion(principals)
            }
        }
    }

    /// On whose behalf a peer with these roles may call; empty: its roles allow nothing.
    func principals(for roles: RoleSet) -> PrincipalSet {
        var allowed = PrincipalSet()
        if roles.contains(RoleSet(.gateway)) { allowed.formUnion(gateway) }
        if roles.contains(RoleSet(.service)) { allowed.formUnion(service) }
        if roles.contains(RoleSet(.operator)) { allowed.formUnion(`operator`) }
        if roles.contains(RoleSet(.backend)) { allowed.formUnion(backend) }
        return allowed
    }
}

/// The access table by path. A method that isn't in it is refused to everybody: default deny.
struct CompiledAccessTable: Sendable {
    private let rules: [String: CompiledAccessRule]

    init(_ rules: [String: AccessRule]) {
        self.rules = rules.mapValues(CompiledAccessRule.init)
    }

    /// - Parameter path: "/samtal.chat.v1.ChatService/AskQuestion".
    func rule(_ path: String) -> CompiledAccessRule? { rules[path] }

    /// Whether every accepted peer may call the service without more: health and reflection tell nothing of anyone.
    /// Two comparisons of short strings, since a health check is what monitors and benchmarks call.
    static func isOpen(_ service: String) -> Bool {
        service == "grpc.health.v1.Health" || service == "grpc.reflection.v1.ServerReflection"
    }
}
