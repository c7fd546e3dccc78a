import Contracts
import RPC
import Synchronization

/// Stands in for identity on the other end of a real socket: has every organisation, except those that a test takes away.
final class IdentityPeer: Sendable {
    let missing = Mutex<Set<String>>([])

    var handlers: [MethodHandler] {
        [
            .unary(IdentityV1.IdentityServiceMethods.getOrganisationName) {
                (request: IdentityV1.GetOrganisationNameRequest, _) in
                guard !self.missing.withLock({ $0.contains(request.organisationID) }) else {
                    throw RPCError(.notFound, "organisation: not found", reason: "ORGANISATION_NOT_FOUND")
                }
                return IdentityV1.OrganisationName(displayName: "Exempelredaktionen")
            }
        ]
    }
}
