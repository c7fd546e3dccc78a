import Contracts
import Logging
import NIOPosix
import RPC
import Synchronization

/// Identity as chat sees it: a real server on a real socket that knows what organisations are called.
final class IdentityPeer: Sendable {
    struct State: Sendable {
        var names = [Organisation.a: "Exempelredaktionen", Organisation.b: "Exempelbanken"]
        /// How often it was asked for a name.
        var calls = 0
    }

    let socketPath: String
    let state = Mutex(State())
    private let server = Mutex<RPCServer?>(nil)
    private let logger: Logger

    init(socketPath: String, logger: Logger) {
        self.socketPath = socketPath
        self.logger = logger
    }

    func start() async throws {
        let handler = MethodHandler.unary(IdentityV1.IdentityServiceMethods.getOrganisationName) {
            (request: IdentityV1.GetOrganisationNameRequest, _) in
            let name = self.state.withLock { state in
                state.calls += 1
                return state.names[request.organisationID]
            }
            guard let name else {
                throw RPCError(.notFound, "organisation: not found", reason: "ORGANISATION_NOT_FOUND")
            }
            return IdentityV1.OrganisationName(displayName: name)
        }
        let server = RPCServer(
            configuration: RPCServer.Configuration(socketPath: socketPath), handlers: [handler],
            health: HealthService(), logger: logger, group: .singleton)
        try await server.start()
        self.server.withLock { $0 = server }
    }

    func stop() async {
        let server = self.server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutDown()
    }
}
