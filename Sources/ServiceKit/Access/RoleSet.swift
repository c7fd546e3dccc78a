internal import Contracts

/// A set of peer roles in one byte: what the hot path computes with.
struct RoleSet: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    static let none = RoleSet([])
    static let all = RoleSet(PeerRole.allCases)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ role: PeerRole) { self.init(rawValue: 1 << role.position) }

    init(_ roles: some Sequence<PeerRole>) { self = roles.reduce(into: []) { $0.insert(RoleSet($1)) } }

    /// The same roles as a set; made once for every combination.
    var roles: Set<PeerRole> { Self.combinations[Int(rawValue & Self.all.rawValue)].roles }

    /// The roles for a log line: "gateway", "gateway,service".
    var label: String { Self.combinations[Int(rawValue & Self.all.rawValue)].label }

    /// Whether there is more than one role to choose from.
    var isAmbiguous: Bool { rawValue.nonzeroBitCount > 1 }

    private static let combinations: [(roles: Set<PeerRole>, label: String)] = (0...all.rawValue).map { bits in
        let members = PeerRole.allCases.filter { RoleSet(rawValue: bits).contains(RoleSet($0)) }
        return (Set(members), members.map(\.rawValue).joined(separator: ","))
    }
}

extension PeerRole {
    /// Its bit in a `RoleSet`, and its place in a compiled rule.
    var position: Int {
        switch self {
        case .gateway: 0
        case .service: 1
        case .operator: 2
        case .backend: 3
        case .backup: 4
        }
    }
}

/// A set of principal kinds in one byte.
struct PrincipalSet: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    static let anyone = PrincipalSet(rawValue: 1)
    static let participant = PrincipalSet(rawValue: 2)
    static let administrator = PrincipalSet(rawValue: 4)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ kind: PrincipalKind) {
        switch kind {
        case .anyone: self = .anyone
        case .participant: self = .participant
        case .administrator: self = .administrator
        }
    }

    init(_ kinds: some Sequence<PrincipalKind>) { self = kinds.reduce(into: []) { $0.insert(PrincipalSet($1)) } }
}
