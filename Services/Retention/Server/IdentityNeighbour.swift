import Contracts
package import RPC
import RetentionCore
import StorageStatus

/// What retention needs of identity.
package struct IdentityNeighbour: Sendable {
    private static let answerTime: Duration = .seconds(5)

    private let client: IdentityV1.IdentityServiceClient

    package init(channel: RPCChannel) {
        client = IdentityV1.IdentityServiceClient(channel: channel)
    }

    /// - Throws: `RetentionError.organisationNotFound`; `RPCError` UNAVAILABLE naming identity.
    func requireOrganisation(_ id: String) async throws {
        do {
            _ = try await client.getOrganisationName(
                .init(organisationID: id), options: CallOptions(timeout: Self.answerTime))
        } catch let error as RPCError {
            switch error.code {
            case .notFound: throw RetentionError.organisationNotFound
            case _ where error.isOfStore: throw error
            case .unavailable, .cancelled, .deadlineExceeded: throw error
            default: throw RPCError(.unavailable, "identity could not do its part", reason: "NEIGHBOUR_FAILED")
            }
        }
    }
}
