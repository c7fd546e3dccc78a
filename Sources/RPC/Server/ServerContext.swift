internal import Logging

/// What all connections of one server share. Immutable, except for what guards itself.
final class ServerContext: Sendable {
    let configuration: RPCServer.Configuration
    let methods: MethodTable
    let interceptors: [any ServerInterceptor]
    let logger: Logger
    let connections = ConnectionRegistry()
    let counters = ServerCounters()

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
