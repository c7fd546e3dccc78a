/// How long to wait before trying again: doubling from a second to a minute, with jitter, so that services that lost the
/// same neighbour do not all return at the same moment.
package struct RetryDelay: Sendable, Hashable {
    package static let shortest: Duration = .seconds(1)
    package static let longest: Duration = .seconds(60)

    private var failures = 0

    package init() {}

    /// - Parameter jitter: 0…1; the wait is between a half and the whole of the present delay.
    package mutating func next(jitter: Double) -> Duration {
        let doublings = min(failures, 6)
        failures += 1
        let whole = min(RetryDelay.shortest * (1 << doublings), RetryDelay.longest)
        return whole * (0.5 + 0.5 * min(max(jitter, 0), 1))
    }

    package mutating func succeed() {
        failures = 0
    }
}
