public import Contracts
public import RPC

/// On whose behalf a call is made, proven by a token in the call's metadata.
public enum Principal: Sendable, Hashable {
    /// No token was presented.
    case anyone
    /// Holds a participant token of one session. `name` is empty for an anonymous participant.
    case participant(id: String, sessionID: String, name: String)
    /// Holds an administrator's access token.
    case administrator(id: String, organisationID: String)

    /// The column of the access table that this principal stands in.
    public var kind: PrincipalKind {
        switch self {
        case .anyone: .anyone
        case .participant: .participant
        case .administrator: .administrator
        }
    }
}

extension CallKey where Value == Principal {
    /// Who the call was authenticated as; absent for `anyone`.
    public static var principal: CallKey<Principal> { CallKey("samtal.principal") }
}

extension CallKey where Value == Set<PeerRole> {
    /// The roles the caller acts in.
    public static var roles: CallKey<Set<PeerRole>> { CallKey("samtal.roles") }
}

extension ServerCall {
    /// On whose behalf the call is made, as the interceptor chain found it; `.anyone` when no token was presented.
    public var principal: Principal { self[.principal] ?? .anyone }

    /// The roles the caller acts in; empty on methods that every accepted peer may call (health, reflection).
    public var roles: Set<PeerRole> { self[.roles] ?? [] }

    /// The administrator on whose behalf the call is made.
    /// - Throws: UNAUTHENTICATED `TOKEN_REQUIRED` without a token, PERMISSION_DENIED `PRINCIPAL_NOT_ALLOWED` with
    ///   somebody else's.
    public func administrator() throws(RPCError) -> (id: String, organisationID: String) {
        switch principal {
        case .administrator(let id, let organisationID): return (id, organisationID)
        case .anyone: throw .tokenRequired(.administrator)
        case .participant: throw .principalNotAllowed
        }
    }

    /// The participant on whose behalf the call is made.
    /// - Throws: UNAUTHENTICATED `TOKEN_REQUIRED` without a token, PERMISSION_DENIED `PRINCIPAL_NOT_ALLOWED` with
    ///   somebody else's.
    public func participant() throws(RPCError) -> (id: String, sessionID: String, name: String) {
        switch principal {
        case .participant(let id, let sessionID, let name): return (id, sessionID, name)
        case .anyone: throw .tokenRequired(.participant)
        case .administrator: throw .principalNotAllowed
        }
    }

    /// Lets an administrator name their own organisation and the operator any.
    ///
    /// An administrator's token limits the call to their organisation even when the peer is the operator too: one
    /// process may have several roles, and what is done on somebody's behalf is bounded by what they may do.
    /// - Throws: NOT_FOUND `ORGANISATION_NOT_FOUND` for another organisation, as if it did not exist; UNAUTHENTICATED
    ///   `TOKEN_REQUIRED` for a caller that is neither.
    public func requireOrganisation(_ id: String) throws(RPCError) {
        if case .anyone = principal, roles.contains(.operator) { return }
        let own = try administrator().organisationID
        guard own == id else {
            throw RPCError(.notFound, "organisation: not found", reason: "ORGANISATION_NOT_FOUND")
        }
    }
}
