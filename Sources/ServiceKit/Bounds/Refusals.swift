internal import CoreMetrics
public import Logging
internal import Synchronization

/// Counts what was refused because a bound was reached, by the bound's name, as the metric `bound_refusals_total`, and says
/// so in the log, at most once a minute for each bound.
public final class Refusals: Sendable {
    public static let metric = "bound_refusals_total"
    /// Between two lines of the log about one bound.
    static let quiet: Duration = .seconds(60)

    private let counters: [String: any CounterHandler]
    private let logger: Logger?
    private let lastLogged = Mutex<[String: ContinuousClock.Instant]>([:])

    /// - Parameters:
    ///   - bounds: all the names there will be: each has its series from the start, and no other is ever made.
    ///   - registry: nil counts for nobody.
    public init(_ bounds: [String], in registry: MetricsRegistry?, logger: Logger? = nil) {
        registry?.describe(Self.metric, "Calls and connections that were refused because a bound was reached.")
        let registry = registry ?? MetricsRegistry()
        counters = Dictionary(
            bounds.map { ($0, registry.makeCounter(label: Self.metric, dimensions: [("bound", $0)])) }
        ) { first, _ in first }
        self.logger = logger
    }

    public func count(_ bound: String) {
        guard let counter = counters[bound] else { return }
        counter.increment(by: 1)
        guard let logger, isDue(bound) else { return }
        logger.warning("a bound was reached", metadata: [LogKey.bound: .string(bound)])
    }

    private func isDue(_ bound: String) -> Bool {
        lastLogged.withLock { lastLogged in
            let now = ContinuousClock.now
            if let last = lastLogged[bound], now - last < Self.quiet { return false }
            lastLogged[bound] = now
            return true
        }
    }
}
