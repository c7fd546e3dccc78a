internal import ArgumentParser
internal import Contracts
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Privacy
internal import RPC
internal import ServiceLifecycle
internal import UnixSignals

/// Runs one service from its options to its exit.
public enum ServiceRunner {
    /// Binds the socket, serves, drains on SIGTERM or SIGINT, and returns when all has stopped. A second signal ends
    /// the process at once.
    /// - Parameters:
    ///   - name: "chat"; names the socket and the folder.
    ///   - build: wires the service up. What it throws is shown to whoever started it.
    /// - Throws: `ExitCode.failure` when the service couldn't start, or stopped for another reason than a signal. The
    ///   reason is on standard error by then.
    public static func run(
        name: String, options: ServiceOptions, build: (ServiceEnvironment) async throws -> ServiceParts
    ) async throws {
        do {
            try ProcessSettings.apply()
            // Before there are threads: it removes the variables that it reads.
            let activated = try ActivatedSockets.take().single()
            var settings = try ServiceSettings(name: name, options: options)
            settings.activated = activated
            try await serve(settings, build: build)
        } catch {
            LogOutput.standardError.write(Array("samtal-\(name): \(explanation(of: error))\n".utf8))
            throw ExitCode.failure
        }
    }

    /// The order of a service's life; read it top-down.
    static func serve(
        _ settings: ServiceSettings, output: LogOutput = .standardError,
        build: (ServiceEnvironment) async throws -> ServiceParts
    ) async throws {
        try settings.folders.prepare()
        let logger = Logger(label: settings.name) { _ in
            JSONLogHandler(service: settings.name, level: settings.logLevel, output: output)
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        let environment = ServiceEnvironment(settings: settings, logger: logger, group: group)
        let outcome = await Outcome { try await buildAndServe(in: environment, settings: settings, build: build) }
        try await group.shutdownGracefully()
        try outcome.get()
        logger.notice("stopped")
    }

    /// Whatever was built is stopped, also when it then couldn't serve.
    private static func buildAndServe(
        in environment: ServiceEnvironment, settings: ServiceSettings,
        build: (ServiceEnvironment) async throws -> ServiceParts
    ) async throws {
        let outcome = await Outcome {
            let parts = try await build(environment)
            let outcome = await Outcome { try await serve(parts, in: environment, settings: settings) }
            await parts.onStop()
            try outcome.get()
        }
        await environment.closeChannels()
        try outcome.get()
    }

    /// From binding the socket until a signal, the task's cancellation, or a part that fails.
    private static func serve(
        _ parts: ServiceParts, in environment: ServiceEnvironment, settings: ServiceSettings
    ) async throws {
        let server = makeServer(parts, in: environment, settings: settings)
        // From here on a signal is kept for the loop below; before, it simply ends a process that has promised nothing.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await server.start()
        environment.metrics.observe(server)
        environment.logger.notice(
            "serving",
            metadata: [
                LogKey.socket: .string(settings.socketName), LogKey.threads: .stringConvertible(settings.threads),
                LogKey.region: .string(settings.region.name),
            ])
        let services = makeServiceGroup(
            [MetricsFile(registry: environment.metrics, path: settings.metricsPath, logger: environment.logger)]
                + parts.background,
            server: ServerService(
                server: server, health: environment.health, names: ownNames(of: parts), onDrain: parts.onDrain),
            in: environment)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await stop(services, on: signals, logger: environment.logger) }
            do {
                try await services.run()
            } catch is CancellationError {
                // Asked to stop by cancelling the task instead of by a signal; all parts have.
            }
            tasks.cancelAll()
        }
    }

    /// What its health is asked by: the process as a whole, and the full names of the services that it answers itself, with
    /// and without the service's own part.
    private static func ownNames(of parts: ServiceParts) -> Set<String> {
        let answered =
            parts.handlers.map(\.method.service) + HealthV1.HealthMethods.all.map(\.service) + [DeclaredRegions.service]
        let services = Set(answered + ReflectionService.names).subtracting(parts.forwarded)
        return services.union(services.map(ServiceName.package(of:))).union([""])
    }

    private static func makeServer(
        _ parts: ServiceParts, in environment: ServiceEnvironment, settings: ServiceSettings
    ) -> RPCServer {
        let peers = environment.peers
        var configuration = RPCServer.Configuration(address: settings.address)
        configuration.acceptPeer = { peer in peers.accepts(peer) }
        configuration.maxConnections = environment.descriptors.connections(atMost: configuration.maxConnections)
        // The gateway alone has half a dozen to each service.
        configuration.maxConnectionsOfProcess = 256
        let reflection = ReflectionService(
            files: ContractsFiles.all, services: parts.handlers.map(\.method.service) + [DeclaredRegions.service])
        let deployment = DeclaredRegions(
            process: environment.name, region: environment.region, neighbours: parts.neighbourRegions)
        let handlers = parts.handlers + deployment.handlers + reflection.handlers
        let calls = CallMetrics(methods: HealthV1.HealthMethods.all + handlers.map(\.method))
        environment.metrics.observe(calls)
        return RPCServer(
            configuration: configuration, handlers: handlers,
            interceptors: InterceptorChain.standard(
                service: environment.name, authenticators: parts.authenticators, peers: peers,
                logger: environment.logger, scope: parts.access, metrics: calls,
                refusals: environment.refusals(of: parts.answeredBounds)),
            health: environment.health, logger: environment.logger, group: environment.group)
    }

    /// A service group shuts its services down one by one from the last to the first: the server drains while the
    /// background services still run.
    private static func makeServiceGroup(
        _ background: [any Service], server: ServerService, in environment: ServiceEnvironment
    ) -> ServiceGroup {
        let background = background.map { service in
            ServiceGroupConfiguration.ServiceConfiguration(
                service: BackgroundService(service: service), successTerminationBehavior: .ignore,
                failureTerminationBehavior: .gracefullyShutdownGroup)
        }
        let last = ServiceGroupConfiguration.ServiceConfiguration(
            service: server, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup)
        return ServiceGroup(
            configuration: ServiceGroupConfiguration(services: background + [last], logger: environment.logger))
    }

    /// The first signal drains. Whoever sends a second one doesn't want to wait: nothing acknowledged is lost by that,
    /// since what is acknowledged is durable.
    private static func stop(_ services: ServiceGroup, on signals: UnixSignalsSequence, logger: Logger) async {
        var isStopping = false
        for await signal in signals {
            if isStopping { _exit(128 + signal.rawValue) }
            isStopping = true
            logger.notice("stopping", metadata: [LogKey.signal: .string("\(signal)")])
            await services.triggerGracefulShutdown()
        }
    }

    /// One line.
    private static func explanation(of error: any Error) -> String {
        String(describing: error).split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

/// How something ended, kept until what follows it has been done.
private typealias Outcome = Result<Void, any Error>

extension Outcome {
    fileprivate init(_ body: () async throws -> Void) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
