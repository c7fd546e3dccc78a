/// Who may call one method: whoever matches a grant. A rule without grants admits nobody.
public struct AccessRule: Sendable, Hashable {
    public var grants: [Grant]

    public init(grants: [Grant]) {
        self.grants = grants
    }

    /// Whether a peer with any of `roles` may call on behalf of `principal`.
    ///
    /// - Parameter principal: what the call's token proves; `.anyone` without a token. A grant to anyone admits every
    ///   principal.
    public func admits(roles: Set<PeerRole>, principal: PrincipalKind) -> Bool {
        grants.contains { grant in
            roles.contains(grant.role)
                && (grant.principals.contains(.anyone) || grant.principals.contains(principal))
        }
    }
}

/// A peer in this role may call on behalf of these principals.
public struct Grant: Sendable, Hashable {
    public var role: PeerRole
    public var principals: Set<PrincipalKind>

    public init(role: PeerRole, principals: Set<PrincipalKind>) {
        self.role = role
        self.principals = principals
    }
}

/// What the process at the other end of the socket is, given to it by configuration from its peer credentials.
public enum PeerRole: String, Sendable, CaseIterable {
    /// samtal-gateway, speaking for browsers.
    case gateway
    /// Another of Samtal's services.
    case service
    /// Whoever runs the services: the data processor.
    case `operator`
    /// Another system of the customer's.
    case backend
    /// Takes copies of what the services keep.
    case backup
}

/// On whose behalf a call is made.
public enum PrincipalKind: String, Sendable, CaseIterable {
    /// No token.
    case anyone
    /// Holds a participant token of the session named in the request.
    case participant
    /// Holds an administrator's access token.
    case administrator
}
