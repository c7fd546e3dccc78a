internal import GatewayCore
internal import ServiceKit
internal import Synchronization

/// What the HTTP side counts, for metrics. Its labels are names of bounds and reasons, and nothing that a client says.
final class GatewayStatistics: Sendable {
    private struct Counts {
        var accepted = 0
        var refused: [ConnectionPlaces.Bound: Int] = [:]
        var gaveWay: [ConnectionPlaces.Bound: Int] = [:]
        var refusals: [String: Int] = [:]
        var timeouts = 0
    }

    /// Reasons of refusals that the gateway gives itself; any other is a service's, and counted there.
    static let reasons =
        RequestFault.all.map(\.reason) + [
            "RATE_LIMITED", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "PATH_NOT_FOUND", "METHOD_NOT_ALLOWED",
            "PRECONDITION_FAILED",
        ]

    private let counts = Mutex(Counts())

    func accepted() { counts.withLock { $0.accepted += 1 } }
    func refused(for bound: ConnectionPlaces.Bound) { counts.withLock { $0.refused[bound, default: 0] += 1 } }
    func gaveWay(for bound: ConnectionPlaces.Bound) { counts.withLock { $0.gaveWay[bound, default: 0] += 1 } }
    /// Counted only if it is one of `reasons`.
    func refused(_ reason: String) { counts.withLock { $0.refusals[reason, default: 0] += 1 } }
    func timedOut() { counts.withLock { $0.timeouts += 1 } }

    /// Shows what is counted.
    ///
    /// - Parameters:
    ///   - open: connections that are open now.
    ///   - pauses: how often accepting has stopped for a moment.
    func show(in metrics: MetricsRegistry, open: @escaping @Sendable () -> Int, pauses: @escaping @Sendable () -> Int) {
        func show(
            _ name: String, _ kind: MetricsRegistry.Kind, _ help: String, _ labels: [(String, String)] = [],
            _ value: @escaping @Sendable () -> Int
        ) {
            metrics.describe(name, help)
            metrics.observe(name, kind, labels) { Double(value()) }
        }
        show("http_server_connections_open", .gauge, "HTTP connections that are open.", [], open)
        show("http_server_connections_accepted_total", .counter, "HTTP connections that were served.") { [self] in
            counts.withLock { $0.accepted }
        }
        for bound in ConnectionPlaces.Bound.allCases {
            show(
                "http_server_connections_refused_total", .counter,
                "HTTP connections refused, by the bound that was reached.", [("bound", bound.rawValue)]
            ) { [self] in counts.withLock { $0.refused[bound] ?? 0 } }
            show(
                "http_server_connections_gave_way_total", .counter,
                "Idle HTTP connections closed for newer ones, by the bound that was reached.",
                [("bound", bound.rawValue)]
            ) { [self] in counts.withLock { $0.gaveWay[bound] ?? 0 } }
        }
        show(
            "http_server_connection_timeouts_total", .counter,
            "HTTP connections closed: nothing, or not the whole of a request, came in time."
        ) { [self] in counts.withLock { $0.timeouts } }
        show(
            "http_server_accept_pauses_total", .counter,
            "Times that accepting stopped for a moment: there were no descriptors or no memory for a connection.", [],
            pauses)
        for reason in Self.reasons {
            show(
                "http_server_refusals_total", .counter, "Requests that the gateway refused itself, by the reason.",
                [("reason", reason)]
            ) { [self] in counts.withLock { $0.refusals[reason] ?? 0 } }
        }
    }
}
