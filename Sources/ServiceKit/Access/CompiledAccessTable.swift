internal import Contracts
internal import RPC

/// One method's rule, laid out so that a decision is a few bit operations.
struct CompiledAccessRule: Sendable {
    /// By the position of the role.
    private var gateway = PrincipalSet()
    private var service = PrincipalSet()
    private var `operator` = PrincipalSet()
    private var backend = PrincipalSet()
    private var backup = PrincipalSet()

    init(_ rule: AccessRule) {
        for grant in rule.grants {
            let principals = PrincipalSet(grant.principals)
            switch grant.role {
            case .gateway: gateway.formUnion(principals)
            case .service: service.formUnion(principals)
            case .operator: `operator`.formUnion(principals)
            case .backend: backend.formUnion(principals)
            case .backup: backup.formUnion(principals)
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
        if roles.contains(RoleSet(.backup)) { allowed.formUnion(backup) }
        return allowed
    }
}

/// The access table, ready to be asked. A method that isn't in it is refused to everybody: default deny.
struct CompiledAccessTable: Sendable {
    /// What the table says of one method.
    enum Entry: Sendable {
        /// Every accepted peer may call it.
        case open
        case rule(CompiledAccessRule)
        case nobody
    }

    private let rules: [String: CompiledAccessRule]
    /// The same for the methods that are served, found without a look at their names.
    private let served: MethodMap<Entry>

    /// - Parameters:
    ///   - rules: by path: "/samtal.chat.v1.ChatService/AskQuestion".
    ///   - methods: those that are served; others are found too, more slowly.
    init(_ rules: [String: AccessRule], methods: [MethodDescriptor] = []) {
        let rules = rules.mapValues(CompiledAccessRule.init)
        self.rules = rules
        served = MethodMap(methods) { Self.entry(of: $0, in: rules) }
    }

    subscript(_ method: MethodDescriptor) -> Entry { served[method] ?? Self.entry(of: method, in: rules) }

    private static func entry(of method: MethodDescriptor, in rules: [String: CompiledAccessRule]) -> Entry {
        if openServices.contains(method.service) { return .open }
        return rules[method.path].map(Entry.rule) ?? .nobody
    }

    /// Health and reflection tell nothing of anyone.
    private static let openServices = Set([HealthV1.HealthMethods.check.service] + ReflectionService.names)
}
