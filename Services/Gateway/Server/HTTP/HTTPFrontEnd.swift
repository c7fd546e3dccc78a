internal import Foundation
internal import GatewayCore
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
package import NIOPosix
package import RPC
package import ServiceKit
internal import ServiceLifecycle

/// The gateway's HTTP side, as a part of the service: serves until it is told to stop, then lets requests in flight
/// finish.
package struct HTTPFrontEnd: Service {
    private let configuration: GatewayConfiguration
    private let application: Application<GatewayResponder>
    private let hub: FeedHub

    /// - Parameters:
    ///   - regions: where data is kept, as declared.
    ///   - metrics: where it shows what it counts.
    ///   - onRunning: called with the port once it is bound.
    package init(
        configuration: GatewayConfiguration, neighbours: Neighbours, regions: KnownRegions, hub: FeedHub,
        gates: CallGates, logger: Logger, metrics: MetricsRegistry = MetricsRegistry(),
        group: MultiThreadedEventLoopGroup,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws(RPCError) {
        self.configuration = configuration
        self.hub = hub
        let statistics = GatewayStatistics()
        let answers = ErrorAnswers(configuration: configuration, statistics: statistics)
        let ledger = ConnectionLedger(configuration: configuration, statistics: statistics, logger: logger)
        let acceptPause = Self.acceptPause(logger)
        statistics.show(in: metrics, open: { ledger.count }, pauses: { acceptPause.count })
        let responder = try GatewayResponder(
            configuration: configuration, neighbours: neighbours, regions: regions, hub: hub, gates: gates,
            answers: answers, logger: logger)
        application = Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                GatewayChannel(configuration: configuration, ledger: ledger, answers: answers, responder: responder)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), backlog: 1024),
            onServerRunning: { channel in
                // Fails only if the channel is closed already.
                try? await channel.pipeline.addHandler(acceptPause, position: .first)
                let port = channel.localAddress?.port ?? 0
                logger.notice("serving HTTP", metadata: ["port": .stringConvertible(port)])
                await onRunning(port)
            },
            eventLoopGroupProvider: .shared(group), logger: Self.silence)
    }

    /// The server library may log what a client sent; nothing of that is to be written anywhere.
    private static let silence = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }

    private static func acceptPause(_ logger: Logger) -> AcceptPause {
        AcceptPause { errorNumber, omitted in
            var metadata: Logger.Metadata = [
                LogKey.component: "http", LogKey.reason: .string(String(cString: strerror(errorNumber))),
            ]
            if omitted > 0 { metadata[LogKey.omittedBefore] = .stringConvertible(omitted) }
            logger.warning("accepting paused", metadata: metadata)
        }
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { try await serve() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Serves in a task of its own, because the end of this one is the beginning of a drain and not yet the end: feeds
    /// are finished, requests in flight are answered, and only what is left after the drain time is cut.
    private func serve() async throws {
        let services = ServiceGroup(configuration: .init(services: [application], logger: Self.silence))
        let address = "\(configuration.host):\(configuration.port)"
        let serving = Task {
            do {
                try await services.run()
            } catch let error as IOError {
                throw StartUpError(
                    "HTTP can't be served on \(address) (\(String(cString: strerror(error.errnoCode))))",
                    remedy: "end what uses the address, or choose another with --http")
            }
        }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            hub.stop()
            let drainTimeout = configuration.drainTimeout
            Task {
                await services.triggerGracefulShutdown()
                try? await Task.sleep(for: drainTimeout)
                serving.cancel()
            }
        }
    }
}
