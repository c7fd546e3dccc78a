internal import Synchronization

/// What the server answers to `grpc.health.v1.Health`, which it installs itself: Check and Watch.
///
/// The whole server goes by the name ""; it serves from the start. Names of services are added by ``set(_:service:)``.
public final class HealthService: Sendable {
    private struct State {
        var statuses: [String: Bool] = ["": true]
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
        var isShuttingDown = false
    }

    private struct Watcher {
        var service: String
        var statuses: AsyncStream<HealthV1.HealthCheckResponse.ServingStatus>.Continuation
    }

    private let state = Mutex(State())

    public init() {}

    /// Says whether a service can serve; watchers are told.
    public func set(_ serving: Bool, service: String = "") {
        state.withLock { state in
            state.statuses[service] = serving
            let status = HealthService.status(of: service, in: state)
            for watcher in state.watchers.values where watcher.service == service { watcher.statuses.yield(status) }
        }
    }

    /// The server is going down: everything stops serving, and watchers are let go so that they don't hold it up.
    func shutDown() {
        state.withLock { state in
            state.isShuttingDown = true
            for watcher in state.watchers.values {
                watcher.statuses.yield(.notServing)
                watcher.statuses.finish()
            }
        }
    }

    var handlers: [MethodHandler] {
        [
            .unary(HealthV1.HealthMethods.check) { (request: HealthV1.HealthCheckRequest, _) in
                let status = self.state.withLock { HealthService.status(of: request.service, in: $0) }
                if status == .serviceUnknown { throw RPCError(.notFound, "service: not known here") }
                return HealthV1.HealthCheckResponse(status: status)
            },
            .serverStreaming(HealthV1.HealthMethods.watch) { (request: HealthV1.HealthCheckRequest, writer, _) in
                try await self.watch(request.service, writer)
            },
        ]
    }

    private func watch(_ service: String, _ writer: ResponseWriter<HealthV1.HealthCheckResponse>) async throws {
        // A slow watcher gets the latest status, not every one in between.
        let (statuses, continuation) = AsyncStream.makeStream(
            of: HealthV1.HealthCheckResponse.ServingStatus.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            continuation.yield(HealthService.status(of: service, in: state))
            if state.isShuttingDown { continuation.finish() }
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = Watcher(service: service, statuses: continuation)
            return state.nextWatcher
        }
        defer { state.withLock { $0.watchers[id] = nil } }
        for await status in statuses { try await writer.send(HealthV1.HealthCheckResponse(status: status)) }
        if Task.isCancelled { throw CancellationError() }
    }

    private static func status(
        of service: String, in state: State
    ) -> HealthV1.HealthCheckResponse.ServingStatus {
        guard let serving = state.statuses[service] else { return .serviceUnknown }
        return serving && !state.isShuttingDown ? .serving : .notServing
    }
}
