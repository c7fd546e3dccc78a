internal import GatewayCore
internal import RPC
package import ServiceKit
internal import Synchronization

/// The gates before all services.
package final class CallGates: Sendable {
    let limits: CallLimits
    private let gates: [Neighbours.Key: CallGate]
    private let marks = Mutex(ClientMarks(now: .now))

    package init(limits: CallLimits = CallLimits(), refusals: Refusals) {
        self.limits = limits
        var gates: [Neighbours.Key: CallGate] = [:]
        for name in Neighbours.names {
            for purpose in Neighbours.Purpose.allCases {
                let width = purpose == .pages ? limits.pagesAtATime : limits.atATime
                gates[.init(name: name, purpose: purpose)] = CallGate(limits: limits, width: width, refusals: refusals)
            }
        }
        self.gates = gates
    }

    /// - Throws: UNIMPLEMENTED if there is no such service.
    func gate(to name: String, for method: MethodDescriptor) throws(RPCError) -> CallGate {
        guard let gate = gates[.init(name: name, purpose: .init(method))] else {
            throw RPCError(.unimplemented, "there is no service \(name)")
        }
        return gate
    }

    /// - Parameter token: the token that the request is made with; nil without one.
    func source(of client: ClientAddress, token: String?) -> CallSource {
        let marks = marks.withLock { $0.marks(of: client, now: .now) }
        return CallSource(client: marks.client, network: marks.network, token: token, limits: limits)
    }

    /// Calls in flight now.
    package var inFlight: Int { gates.values.reduce(0) { $0 + $1.inFlight } }
}
