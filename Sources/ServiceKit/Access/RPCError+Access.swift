internal import Contracts
public import RPC

/// The refusals of the interceptor chain. Their reasons are part of the API.
extension RPCError {
    static var methodNotAllowed: RPCError {
        RPCError(.permissionDenied, "nobody may call this method", reason: "METHOD_NOT_ALLOWED")
    }

    static var roleNotAllowed: RPCError {
        RPCError(.permissionDenied, "this peer may not call this method", reason: "ROLE_NOT_ALLOWED")
    }

    static var principalNotAllowed: RPCError {
        RPCError(.permissionDenied, "this token does not allow the call", reason: "PRINCIPAL_NOT_ALLOWED")
    }

    static func tokenRequired(_ kind: PrincipalKind) -> RPCError {
        let holder = kind == .participant ? "a participant's token" : "an administrator's access token"
        return RPCError(.unauthenticated, "the call needs \(holder)", reason: "TOKEN_REQUIRED")
    }

    /// For authenticators: a token that is not what it should be. Says nothing of why, which would help only whoever
    /// is making tokens up.
    public static var tokenInvalid: RPCError {
        RPCError(.unauthenticated, "the token is not valid", reason: "TOKEN_INVALID")
    }

    /// For authenticators: a token that was valid until its time ran out.
    public static var tokenExpired: RPCError {
        RPCError(.unauthenticated, "the token has expired", reason: "TOKEN_EXPIRED")
    }

    /// For authenticators: a token whose sign-in was ended before its time, by signing out or by being removed.
    public static var signInEnded: RPCError {
        RPCError(.unauthenticated, "the sign-in has ended", reason: "SIGN_IN_ENDED")
    }

    /// A neighbouring service that the call needs can't be reached.
    /// - Parameter neighbour: its name, such as "retention".
    public static func unavailable(neighbour: String) -> RPCError {
        RPCError(.unavailable, "\(neighbour) is not reachable", reason: "NEIGHBOUR_UNAVAILABLE")
    }
}
