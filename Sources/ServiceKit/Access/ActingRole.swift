internal import Contracts
internal import RPC

/// A process that a machine's configuration gives several roles says in which one it makes a call. It can only give
/// roles up that way: the server takes the roles that the peer both has and names.
///
/// Without it a gateway run by the operator's own user would lend the operator's role to every browser.
enum ActingRole {
    static let metadataName = "samtal-role"

    /// The roles a call is made in.
    /// - Parameters:
    ///   - roles: what the peer has.
    ///   - named: the metadata's value; nil: all of them.
    static func narrow(_ roles: RoleSet, to named: String?) -> RoleSet {
        guard let named else { return roles }
        guard let role = PeerRole(rawValue: named) else { return .none }
        return roles.intersection(RoleSet(role))
    }
}

/// Names the role this process acts in on every call it makes.
struct ActingRoleInterceptor: ClientInterceptor {
    let role: PeerRole

    func begin(_ method: MethodDescriptor, options: inout CallOptions) async throws(RPCError) {
        options.metadata.replace(ActingRole.metadataName, role.rawValue)
    }

    func end(_ method: MethodDescriptor, outcome: RPCError?) {}
}
