internal import RPC

/// Counts the calls that were refused for a bound by what they were answered: for bounds that something keeps which can't
/// count, such as a store.
struct AnsweredBounds: ServerInterceptor {
    /// Those of other bounds, and of neighbours whose errors are passed on, are not among its names.
    let refusals: Refusals

    func begin(_ call: ServerCall) async throws(RPCError) {}

    func end(_ call: ServerCall, outcome: RPCError?) {
        if let bound = outcome?.metadata[RPCError.boundKey] { refusals.count(bound) }
    }
}
