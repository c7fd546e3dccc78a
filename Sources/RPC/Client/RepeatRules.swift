/// Whether a call that failed is made again without its caller noticing.
struct RepeatRules: Sendable {
    /// What there is to know about a call besides how it failed.
    struct Call {
        /// Whether the server may run it twice.
        var isIdempotent: Bool
        /// Whether the caller is willing to wait for the server.
        var waitsForReady: Bool
        var deadline: ContinuousClock.Instant?
    }

    /// Repeats left to a call whose connection died.
    private var left = 1
    /// Attempts that the retry policy has counted.
    private(set) var attempts = 1

    /// How long to wait before the next attempt; nil when there is none.
    ///
    /// - Parameter chance: evenly distributed over 0 ..< 1.
    mutating func wait(
        after failure: CallFailure, _ call: Call, _ retrying: Retrying?,
        at now: @autoclosure () -> ContinuousClock.Instant,
        chance: @autoclosure () -> Double
    ) -> Duration? {
        if repeatsAtOnce(failure.repeating, call) { return .zero }
        guard let retrying, call.isIdempotent, failure.repeating != .never,
            retrying.policy.retryableCodes.contains(failure.error.code)
        else { return nil }
        // What asks not to be tried again counts as a failure too (gRFC A6, "Throttling").
        guard retrying.failed(), attempts < retrying.policy.maxAttempts else { return nil }
        let backoff = retrying.policy.backoff(after: attempts, chance: chance())
        let delay: Duration
        switch failure.pushback {
        case .never: return nil
        case .after(let asked): delay = asked
        case .none: delay = max(backoff, failure.error.retryAfter ?? .zero)
        }
        if let deadline = call.deadline, now().advanced(by: delay) >= deadline { return nil }
        attempts += 1
        return delay
    }

    private mutating func repeatsAtOnce(_ repeating: CallOutcome.Repeating, _ call: Call) -> Bool {
        switch repeating {
        case .never, .byPolicy: return false
        case .ifIdempotent where !call.isIdempotent: return false
        // The server never saw it: a call that waits for the server goes on waiting.
        case .always where call.waitsForReady: return true
        case .ifIdempotent, .always:
            left -= 1
            return left >= 0
        }
    }
}
