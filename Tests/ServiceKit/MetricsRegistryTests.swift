import CoreMetrics
import Testing

@testable import ServiceKit

@Suite("The metrics registry")
struct MetricsRegistryTests {
    /// The lines of the text that are about a metric.
    private func lines(_ registry: MetricsRegistry, _ name: String) -> [String] {
        registry.text().split(separator: "\n").map(String.init).filter { $0.contains(name) }
    }

    @Test("counters, gauges and histograms are written as Prometheus reads them")
    func format() {
        let registry = MetricsRegistry()
        registry.describe("a_total", "What it\ncounts: \\ ")
        let counter = Counter(label: "a_total", dimensions: [("method", "Ask"), ("code", "OK")], factory: registry)
        counter.increment()
        counter.increment(by: 41)
        counter.increment(by: -5)
        Gauge(label: "b", factory: registry).record(1.5)
        let meter = Meter(label: "c", factory: registry)
        meter.set(10)
        meter.increment(by: 2.5)
        meter.decrement()
        let timer = Timer(label: "d_seconds", dimensions: [("method", "Ask")], factory: registry)
        for nanoseconds in [1, 100_000, 100_001, 60_000_000_000] { timer.recordNanoseconds(nanoseconds) }
        FloatingPointCounter(label: "e_total", factory: registry).increment(by: 0.25)
        registry.observe("f", .gauge) { 7 }

        let text = registry.text()
        #expect(
            text.hasPrefix(
                """
                # HELP a_total What it\\ncounts: \\\\ \n\
                # TYPE a_total counter
                a_total{code="OK",method="Ask"} 42
                # TYPE b gauge
                b 1.5
                # TYPE c gauge
                c 11.5
                # TYPE d_seconds histogram
                d_seconds_bucket{method="Ask",le="0.0001"} 2
                d_seconds_bucket{method="Ask",le="0.00025"} 3

                """))
        #expect(
            text.hasSuffix(
                """
                d_seconds_bucket{method="Ask",le="10"} 3
                d_seconds_bucket{method="Ask",le="+Inf"} 4
                d_seconds_sum{method="Ask"} 60.000200002
                d_seconds_count{method="Ask"} 4
                # TYPE e_total counter
                e_total 0.25
                # TYPE f gauge
                f 7
                # TYPE metrics_series_dropped gauge
                metrics_series_dropped 0

                """))
    }

    @Test("the same name and dimensions are one series, in whatever order they are given")
    func sameSeries() {
        let registry = MetricsRegistry()
        Counter(label: "a", dimensions: [("x", "1"), ("y", "2")], factory: registry).increment()
        Counter(label: "a", dimensions: [("y", "2"), ("x", "1")], factory: registry).increment()
        #expect(lines(registry, "a{") == ["a{x=\"1\",y=\"2\"} 2"])
    }

    @Test("there is room for so many series, and what is over counts nothing and is counted")
    func bound() {
        let registry = MetricsRegistry(mostSeries: 10)
        for number in 0..<1000 {
            Counter(label: "a", dimensions: [("n", String(number))], factory: registry).increment()
        }
        #expect(lines(registry, "a{").count == 10)
        #expect(lines(registry, "dropped").last == "metrics_series_dropped 990")
        // What was there before goes on.
        Counter(label: "a", dimensions: [("n", "3")], factory: registry).increment()
        #expect(lines(registry, "n=\"3\"") == ["a{n=\"3\"} 2"])
    }

    @Test("a name belongs to one kind of metric, and a series has few dimensions")
    func kinds() {
        let registry = MetricsRegistry()
        Counter(label: "a", factory: registry).increment()
        Gauge(label: "a", factory: registry).record(5)
        Timer(label: "a", factory: registry).recordNanoseconds(5)
        Counter(label: "b", dimensions: (0..<9).map { ("k\($0)", "v") }, factory: registry).increment()
        #expect(lines(registry, "a ") == ["# TYPE a counter", "a 1"])
        #expect(lines(registry, "b{").isEmpty)
        #expect(lines(registry, "dropped").last == "metrics_series_dropped 3")
    }

    @Test("no name or value can break the text")
    func hostile() {
        let registry = MetricsRegistry()
        let value = "\"} 1\n# TYPE x counter\\" + String(repeating: "å", count: 10_000)
        Counter(label: "9 a\n{b", dimensions: [("k\"=", value), ("", "")], factory: registry).increment()
        let text = registry.text()
        let lines = text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0] == "# TYPE _9_a__b counter")
        #expect(lines[1].hasPrefix("_9_a__b{_=\"\",k__=\"\\\"} 1\\n# TYPE x counter\\\\å"))
        #expect(lines[1].hasSuffix("\"} 1"))
        #expect(text.utf8.count < 512)
    }

    @Test("values that are no numbers are written as such, or left out of a distribution")
    func notNumbers() {
        let registry = MetricsRegistry()
        registry.observe("a", .gauge) { .nan }
        registry.observe("b", .gauge) { -.infinity }
        let recorder = Recorder(label: "c", factory: registry)
        recorder.record(Double.nan)
        recorder.record(Double.infinity)
        recorder.record(3.0)
        recorder.record(1e300)
        #expect(lines(registry, "a ").last == "a NaN")
        #expect(lines(registry, "b ").last == "b -Inf")
        #expect(lines(registry, "c_count") == ["c_count 2"])
        #expect(lines(registry, "le=\"4\"") == ["c_bucket{le=\"4\"} 1"])
    }

    @Test("nothing is lost when many threads count at once")
    func concurrent() async {
        let registry = MetricsRegistry()
        let counter = Counter(label: "a", factory: registry)
        let meter = Meter(label: "b", factory: registry)
        let timer = Timer(label: "c", factory: registry)
        let sum = FloatingPointCounter(label: "sum", factory: registry)
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<16 {
                tasks.addTask {
                    for _ in 0..<1000 {
                        counter.increment()
                        meter.increment()
                        meter.increment()
                        meter.decrement()
                        timer.recordNanoseconds(1)
                        sum.increment(by: 0.5)
                    }
                }
            }
        }
        #expect(lines(registry, "a ").last == "a 16000")
        #expect(lines(registry, "b ").last == "b 16000")
        #expect(lines(registry, "c_count").last == "c_count 16000")
        #expect(lines(registry, "sum ").last == "sum 8000")
    }
}
