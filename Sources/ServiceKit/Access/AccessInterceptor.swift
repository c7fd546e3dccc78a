internal import Contracts
internal import RPC

/// Decides whether a call may be made: role × principal × method, from the access table alone.
///
/// Authentication is part of it and comes second, since only the rule says whether a token matters: a health check
/// never looks at its metadata, and a peer whose role allows nothing isn't given a signature to have verified.
struct AccessInterceptor: ServerInterceptor {
    let table: CompiledAccessTable
    let peers: PeerRoles
    let authenticators: [any Authenticator]
    let scope: AccessScope

    func begin(_ call: ServerCall) async throws(RPCError) {
        let rule: CompiledAccessRule
        switch table[call.method] {
        case .open: return
        case .nobody: throw .methodNotAllowed
        case .rule(let found): rule = found
        }

        var roles = peers.roleSet(of: call.peer)
        if roles.isAmbiguous {
            roles = ActingRole.narrow(roles, to: call.metadata[first: ActingRole.metadataName])
        }
        let allowed = rule.principals(for: roles)
        guard !allowed.isEmpty else { throw .roleNotAllowed }
        call[.roles] = roles.roles

        guard scope == .rolesAndPrincipals else { return }
        let principal = try await principal(of: call, allowed: allowed)
        if principal != .anyone { call[.principal] = principal }
    }

    func end(_ call: ServerCall, outcome: RPCError?) {}

    /// The first principal with a token that the rule allows, so that somebody who holds tokens of two kinds may use
    /// either. Where no token is ever needed, a bad one is as good as none; where one would tell more, it is an error.
    private func principal(of call: ServerCall, allowed: PrincipalSet) async throws(RPCError) -> Principal {
        var presented: Principal?
        var failure: RPCError?
        for authenticator in authenticators {
            do throws(RPCError) {
                guard let found = try await authenticator.authenticate(call) else { continue }
                if allowed.contains(PrincipalSet(found.kind)) { return found }
                presented = presented ?? found
            } catch {
                failure = failure ?? error
            }
        }
        if allowed == .anyone { return presented ?? .anyone }
        if let failure { throw failure }
        if allowed.contains(.anyone) { return presented ?? .anyone }
        guard presented == nil else { throw .principalNotAllowed }
        throw .tokenRequired(allowed == .participant ? .participant : .administrator)
    }
}
