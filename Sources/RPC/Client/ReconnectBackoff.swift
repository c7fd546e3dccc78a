/// When to try again after a connection could not be made, or was of no use: at once the first time, then after twice as long each time,
/// with a fifth either way left to chance so that many clients don't come back together.
struct ReconnectBackoff {
    static let first: Duration = .milliseconds(50)
    static let longest: Duration = .seconds(1)
    /// How long a connection has to last to have been of use without an answer to a call: without that, a server that
    /// welcomes everybody and hangs up would be connected to as fast as it can.
    static let probation: Duration = .seconds(1)

    private let limit: Duration
    private(set) var failures = 0
    private(set) var retryAt: ContinuousClock.Instant?

    /// - Parameter longest: what the wait grows to, a fifth more or less.
    init(longest: Duration = ReconnectBackoff.longest) {
        limit = longest
    }

    /// - Parameter chance: evenly distributed over 0 ..< 1.
    mutating func failed(at now: ContinuousClock.Instant, chance: Double) {
        failures += 1
        guard failures > 1 else { return retryAt = now }
        let doublings = min(failures - 2, 16)
        let delay = min(ReconnectBackoff.first * (1 << doublings), limit)
        retryAt = now.advanced(by: delay * (0.8 + 0.4 * chance))
    }

    mutating func succeeded() {
        failures = 0
        retryAt = nil
    }

    /// How long to wait before the next attempt; nil when it may be made now.
    func wait(at now: ContinuousClock.Instant) -> Duration? {
        guard let retryAt, retryAt > now else { return nil }
        return retryAt - now
    }
}
