public import CoreMetrics
internal import Synchronization

/// Keeps a process's metrics in memory and writes them down in Prometheus's text format: a backend of swift-metrics.
///
/// What is counted is told to it through swift-metrics' own types, `Counter(label: "…", factory: registry)`; what
/// somebody else counts is read when it is written down (``observe(_:_:_:_:)``). It holds a bounded number of series: what
/// is made beyond that counts nothing, and how many those were is a metric itself.
public final class MetricsRegistry: Sendable {
    /// What a metric is to Prometheus.
    public enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// One combination of label values, and where its numbers are.
    struct Series: Sendable {
        /// As they are written: `service="a",method="b"`.
        var labels: String
        var source: any MetricSource
    }

    /// Everything of one name.
    struct Family: Sendable {
        var kind: Kind
        var series: [Series] = []
        /// Positions in `series` by labels.
        var positions: [String: Int] = [:]
    }

    struct State {
        var families: [String: Family] = [:]
        var help: [String: String] = [:]
        var seriesCount = 0
        var dropped = 0
    }

    /// Labels of one series.
    static let mostDimensions = 8

    let state: Mutex<State>
    private let mostSeries: Int

    /// - Parameter mostSeries: how many series there are at most, all metrics together.
    public init(mostSeries: Int = 4096) {
        self.mostSeries = mostSeries
        state = Mutex(State())
    }

    /// Says what a metric means.
    public func describe(_ name: String, _ help: String) {
        state.withLock { $0.help[MetricText.name(name)] = help }
    }

    /// A series whose value is read when it is written down, from any thread. A second one of that name and those
    /// labels is not shown.
    public func observe(
        _ name: String, _ kind: Kind, _ labels: [(String, String)] = [], _ value: @escaping @Sendable () -> Double
    ) {
        observe(name, kind, labels) { MetricReading.value(value()) }
    }

    func observe(
        _ name: String, _ kind: Kind, _ labels: [(String, String)] = [],
        _ reading: @escaping @Sendable () -> MetricReading
    ) {
        _ = source(name, labels, kind) { Observed(read: reading) }
    }

    /// The series of that name and those dimensions, made when there is none. Nil when there is no room for it, or when
    /// its name is taken by a metric of another kind.
    private func source<Source: MetricSource>(
        _ label: String, _ dimensions: [(String, String)], _ kind: Kind, _ make: () -> Source
    ) -> Source? {
        let name = MetricText.name(label)
        let labels = MetricText.labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind)
            if let position = family.positions[labels] {
                if let found = family.series[position].source as? Source { return found }
            } else if family.kind == kind, state.seriesCount < mostSeries, dimensions.count <= Self.mostDimensions {
                let made = make()
                family.positions[labels] = family.series.count
                family.series.append(Series(labels: labels, source: made))
                state.families[name] = family
                state.seriesCount += 1
                return made
            }
            state.dropped += 1
            return nil
        }
    }
}

/// What swift-metrics asks for. Series live as long as the registry, so destroying does nothing: a counter that came
/// back at zero would look like a restart.
extension MetricsRegistry: MetricsFactory {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        source(label, dimensions, .counter) { StripedCounter() } ?? NOOPMetricsHandler.instance
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        source(label, dimensions, .counter) { FloatingValue() } ?? NOOPMetricsHandler.instance
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        source(label, dimensions, .gauge) { StripedGauge() } ?? NOOPMetricsHandler.instance
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else {
            return source(label, dimensions, .gauge) { FloatingValue() } ?? NOOPMetricsHandler.instance
        }
        return source(label, dimensions, .histogram) { Histogram(bounds: .values) } ?? NOOPMetricsHandler.instance
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        source(label, dimensions, .histogram) { Histogram(bounds: .durations) } ?? NOOPMetricsHandler.instance
    }

    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}
