public import RPC

/// Recognises one kind of token in a call's metadata.
public protocol Authenticator: Sendable {
    /// - Returns: whose token it is; nil when the metadata holds no token of this kind.
    /// - Throws: UNAUTHENTICATED (`RPCError.tokenInvalid`, `.tokenExpired`) for a token of this kind that is no good;
    ///   UNAVAILABLE when that can't be told without a neighbour.
    func authenticate(_ call: ServerCall) async throws(RPCError) -> Principal?
}
