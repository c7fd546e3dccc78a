internal import ChatCore
internal import Contracts
internal import RPC
internal import StorageStatus
internal import Synchronization

/// What the organisations are called that are responsible for sessions, from identity.
///
/// Many open a session's page in the same minute, so a name is kept for a while, and asked for once however many want it.
final class Controllers: Sendable {
    /// How long a name is kept.
    private static let freshness: Duration = .seconds(60)
    /// How many are; beyond it all are asked for anew.
    private static let capacity = 1_000
    private static let timeout: Duration = .seconds(5)

    private struct Known {
        let name: String
        let time: ContinuousClock.Instant
    }

    private let client: IdentityV1.IdentityServiceClient
    private let known = Mutex<[String: Known]>([:])
    private let questions = SingleFlight<String>()

    init(identity channel: RPCChannel) {
        client = IdentityV1.IdentityServiceClient(channel: channel)
    }

    /// - Throws: ``ChatError/identityUnavailable``; ``ChatError/controllerNotFound`` for an organisation that identity
    ///   doesn't have.
    func name(of organisationID: String) async throws -> String {
        if let name = kept(organisationID) { return name }
        return try await questions.value(for: organisationID) { [self] in
            let name = try await ask(organisationID)
            known.withLock { known in
                if known.count >= Self.capacity { known.removeAll() }
                known[organisationID] = Known(name: name, time: .now)
            }
            return name
        }
    }

    private func kept(_ organisationID: String) -> String? {
        known.withLock { known in
            guard let found = known[organisationID], found.time.duration(to: .now) < Self.freshness else { return nil }
            return found.name
        }
    }

    private func ask(_ organisationID: String) async throws -> String {
        do {
            return try await client.getOrganisationName(
                .init(organisationID: organisationID), options: CallOptions(timeout: Self.timeout)
            ).displayName
        } catch let error as RPCError where error.code == .notFound {
            throw ChatError.controllerNotFound
        } catch let error as RPCError where error.isOfStore {
            throw error
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw ChatError.identityUnavailable
        }
    }
}
