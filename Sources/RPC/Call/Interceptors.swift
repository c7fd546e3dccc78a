/// Something done around every call a server takes up: logging, authentication, access control.
///
/// A call that no handler could be run for goes by unseen: one of an unknown method, one whose headers or request are
/// refused, incomplete or late, and one more than may run on its connection.
///
/// A server has one chain: `begin` runs in its order, before the request is decoded; `end` runs in reverse order, after
/// the handler is done, for each interceptor whose `begin` succeeded. A `begin` that does not suspend costs no hop to
/// another thread.
public protocol ServerInterceptor: Sendable {
    /// Throws to refuse the call with that status; the handler is then never run.
    func begin(_ call: ServerCall) async throws(RPCError)
    /// - Parameter outcome: the status the caller was given, nil for OK.
    func end(_ call: ServerCall, outcome: RPCError?)
}

/// Something done around every call made on a channel, in the same order as on the server.
public protocol ClientInterceptor: Sendable {
    /// May change the options (add metadata, shorten the deadline), or throw to fail the call before it is sent.
    func begin(_ method: MethodDescriptor, options: inout CallOptions) async throws(RPCError)
    /// - Parameter outcome: the status of the call, nil for OK. A stream that was let go of early ends as `cancelled`.
    func end(_ method: MethodDescriptor, outcome: RPCError?)
}
