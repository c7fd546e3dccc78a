package import ServiceKit

/// The bounds on calls that have one answer. Each holds for one service and one purpose (``Neighbours/Purpose``), so that
/// a service that hangs keeps nobody from another.
package struct CallLimits: Sendable {
    /// Over HTTP: calls that are not answered, or whose answer is not read yet.
    package var calls = Bound("calls", most: 2_000)
    /// Of these, with one token. A token that nobody gave out counts as well, and against its client's.
    package var callsOfToken = Bound("calls-of-token", most: 300, whenCrowded: 30)
    /// From one address, or one IPv6 /64. Generous, because an office or a lecture hall may share one.
    package var callsOfClient = Bound("calls-of-client", most: 1_200, whenCrowded: 100)
    /// From one IPv6 /48.
    package var callsOfNetwork = Bound("calls-of-network", most: 1_400, whenCrowded: 200)

    /// Over gRPC, on the gateway's own socket.
    package var forwarded = Bound("forwarded-calls", most: 2_000)
    package var forwardedOfToken = Bound("forwarded-calls-of-token", most: 300, whenCrowded: 30)
    /// Of one process.
    package var forwardedOfProcess = Bound("forwarded-calls-of-process", most: 1_200, whenCrowded: 100)
    /// Of all processes of one user: a process may start others.
    package var forwardedOfUser = Bound("forwarded-calls-of-user", most: 1_400, whenCrowded: 200)

    /// Calls that a service is asked at a time. A connection takes 1,024 of them; the rest is for the services' health.
    package var atATime = 900
    /// Pages of lists that a service is asked for at a time. A page is long: what is asked for ahead of another's page is
    /// what that one waits for.
    package var pagesAtATime = 16

    package init() {}

    /// The names of all bounds.
    package var names: [String] {
        [
            calls, callsOfToken, callsOfClient, callsOfNetwork, forwarded, forwardedOfToken, forwardedOfProcess,
            forwardedOfUser,
        ].map(\.name)
    }
}
