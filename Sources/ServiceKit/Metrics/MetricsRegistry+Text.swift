internal import Synchronization

extension MetricsRegistry {
    /// How many series were asked for in vain, for want of room or because their name was taken.
    static let droppedName = "metrics_series_dropped"

    /// Everything as Prometheus reads it, sorted by name; ends in a line end.
    public func text() -> String {
        // Copied first: a value that is observed may take its time, and may itself make a metric.
        let (families, help, dropped) = state.withLock { ($0.families, $0.help, $0.dropped) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            if let help = help[name] { text += "# HELP \(name) \(MetricText.help(help))\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for series in family.series.sorted(by: { $0.labels < $1.labels }) {
                Self.write(series.source.reading, name, series.labels, to: &text)
            }
        }
        text += "# TYPE \(Self.droppedName) gauge\n\(Self.droppedName) \(dropped)\n"
        return text
    }

    private static func write(_ reading: MetricReading, _ name: String, _ labels: String, to text: inout String) {
        func line(_ suffix: String, _ labels: String, _ value: String) {
            text += labels.isEmpty ? "\(name)\(suffix) \(value)\n" : "\(name)\(suffix){\(labels)} \(value)\n"
        }
        switch reading {
        case .value(let value):
            line("", labels, MetricText.number(value))
        case .distribution(let bounds, let atMost, let count, let sum):
            let prefix = labels.isEmpty ? "" : labels + ","
            for (bound, number) in zip(bounds, atMost) {
                line("_bucket", "\(prefix)le=\"\(MetricText.number(bound))\"", String(number))
            }
            line("_bucket", "\(prefix)le=\"+Inf\"", String(count))
            line("_sum", labels, MetricText.number(sum))
            line("_count", labels, String(count))
        }
    }
}
