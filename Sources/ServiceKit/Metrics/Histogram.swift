internal import CoreMetrics
internal import RPC

/// Counts values by size.
final class Histogram: TimerHandler, RecorderHandler, MetricSource {
    /// The sizes that are told apart, and how many of what is recorded make one of what is written down.
    struct Bounds {
        /// Rising, in the unit that is recorded.
        var limits: [Int64]
        var perUnit: Double

        /// Recorded in nanoseconds, written in seconds.
        static let durations = Bounds(limits: CallMetrics.durationBounds, perUnit: 1e9)

        /// Powers of four, for values without a unit: sizes and counts.
        static let values = Bounds(limits: (0...12).map { 1 << ($0 * 2) }, perUnit: 1)
    }

    private let bounds: Bounds
    /// For each limit how many were at most that and over the one before; how many were over the last; their sum.
    private let sums: StripedSums

    init(bounds: Bounds) {
        self.bounds = bounds
        sums = StripedSums(bounds.limits.count + 2)
    }

    func recordNanoseconds(_ duration: Int64) { record(duration) }

    func record(_ value: Int64) {
        var position = 0
        while position < bounds.limits.count, bounds.limits[position] < value { position += 1 }
        sums.add(1, to: position)
        sums.add(value, to: bounds.limits.count + 1)
    }

    /// Rounded: what is recorded here are counts and sizes. What isn't a number isn't counted.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        record(Int64(value.rounded().clamped(to: -9e18...9e18)))
    }

    var reading: MetricReading {
        let count = bounds.limits.count
        // The count is that of the parts, so that it can't contradict them while others record.
        var total: Int64 = 0
        let atMost = (0..<count).map { position -> Int64 in
            total += sums[position]
            return total
        }
        return .distribution(
            bounds: bounds.limits.map { Double($0) / bounds.perUnit }, atMost: atMost, count: total + sums[count],
            sum: Double(sums[count + 1]) / bounds.perUnit)
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
