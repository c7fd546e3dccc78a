internal import CoreMetrics
internal import RPC
internal import Synchronization

/// Where the numbers of one series are.
protocol MetricSource: Sendable {
    /// What it has come to.
    var reading: MetricReading { get }
}

/// What one series has come to.
enum MetricReading: Equatable {
    case value(Double)
    /// How many were at most each bound, then how many there were at all, and their sum.
    case distribution(bounds: [Double], atMost: [Int64], count: Int64, sum: Double)
}

/// Counts whole numbers up.
final class StripedCounter: CounterHandler, MetricSource {
    private let sums = StripedSums(1)

    func increment(by amount: Int64) {
        // A counter only goes up.
        if amount > 0 { sums.add(amount, to: 0) }
    }

    /// Not while it is counted: a counter that falls looks like a restart.
    func reset() {}

    var reading: MetricReading { .value(Double(sums[0])) }
}

/// A value that goes up and down: what it was last set to, and what was added since.
final class StripedGauge: MeterHandler, MetricSource {
    private let base = FloatingValue()
    private let sums = StripedSums(1)

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { base.record(value - Double(sums[0])) }

    func increment(by amount: Double) {
        if let whole = Int64(exactly: amount) { sums.add(whole, to: 0) } else { base.increment(by: amount) }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    var reading: MetricReading { .value(base.value + Double(sums[0])) }
}

/// A value of any kind that is set or added to.
final class FloatingValue: RecorderHandler, FloatingPointCounterHandler, MetricSource {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func increment(by amount: Double) {
        var current = bits.load(ordering: .relaxed)
        while true {
            let next = (Double(bitPattern: current) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: current, desired: next, ordering: .relaxed)
            if exchanged { return }
            current = original
        }
    }

    func reset() { record(0.0) }

    var reading: MetricReading { .value(value) }
}

/// What somebody else counts.
final class Observed: MetricSource {
    private let read: @Sendable () -> MetricReading

    init(read: @escaping @Sendable () -> MetricReading) { self.read = read }

    var reading: MetricReading { read() }
}
