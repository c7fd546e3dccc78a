internal import Logging
internal import Synchronization

/// What all connections of one server share. Immutable, except for what guards itself.
final class ServerContext: Sendable {
    let configuration: RPCServer.Configuration
    let methods: MethodTable
    let interceptors: [any ServerInterceptor]
    let logger: Logger
    let connections = ConnectionRegistry()
    let counters = ServerCounters()
    /// What may be logged of connections.
    let logLimit = LogLimit()

    init(
        configuration: RPCServer.Configuration, methods: MethodTable, interceptors: [any ServerInterceptor],
        logger: Logger
    ) {
        self.configuration = configuration
        self.methods = methods
        self.interceptors = interceptors
        self.logger = logger
    }
}

/// Bounds how often something is logged that anyone can cause: ten lines at once, then one a second.
public final class LogLimit: Sendable {
    private struct State {
        var lines = FloodGuard(perSecond: 1)
        var omitted = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// How many lines were left out since the last one; nil when this one is to be.
    public func admits() -> Int? {
        state.withLock { state in
            guard state.lines.admits() else {
                state.omitted += 1
                return nil
            }
            defer { state.omitted = 0 }
            return state.omitted
        }
    }
}
