internal import RPC
internal import ServiceLifecycle

/// The gRPC server as a part of the service group: SERVING while it runs; at shutdown NOT_SERVING first, so that
/// callers look elsewhere; then streams without an end are ended, and it drains.
struct ServerService: Service {
    let server: RPCServer
    let health: HealthService
    /// What its health is asked by.
    let names: Set<String>
    let onDrain: @Sendable () async -> Void

    func run() async throws {
        say(true)
        defer { say(false) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            tasks.addTask {
                do { try await gracefulShutdown() } catch { return }  // cancelled: `run` drains by itself
                say(false)
                await onDrain()
                await server.shutDown()
            }
            // Whichever ends first, the other has nothing more to wait for.
            try await tasks.next()
            tasks.cancelAll()
            try await tasks.next()
        }
    }

    private func say(_ isServing: Bool) {
        for name in names { health.set(isServing, service: name) }
    }
}

/// A background service, cancelled when the group shuts down: few of them have anything to finish, and all of them must
/// be able to stop at any point, since a process can die at any point.
struct BackgroundService: Service {
    let service: any Service

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await service.run() }
        } catch is CancellationError {
            // It was told to stop and did.
        }
    }
}
