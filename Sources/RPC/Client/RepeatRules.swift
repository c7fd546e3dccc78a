/// Whether a call that failed is made again without its caller noticing.
struct RepeatRules: Sendable {
    /// What there is to know about a call besides how it failed.
    struct Call {
        /// Whether the server may run it twice.
        var isIdempotent: Bool
        /// Whether the caller is willing to wait for the server until the deadline.
        var waitsForReady: Bool
        /// Until when it is otherwise; nil: not at all.
        var patienceEnd: ContinuousClock.Instant?
        var deadline: ContinuousClock.Instant?
    }

    /// Repeats left to a call whose connection died, or that was refused.
    private var left = 1
    /// Times that the call found its connection gone before it was sent.
    private var unsent = ReconnectBackoff()
    /// Attempts that the retry policy has counted.
    private(set) var attempts = 1
    /// When the call is no longer willing to wait for a server that is away; set when it first has to.
    private var patienceEnd: ContinuousClock.Instant?

    /// Until when the call waits for a server that is away: that long in all, however often it has to.
    mutating func waitingEnds(
        after patience: Duration?, at now: @autoclosure () -> ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        if patienceEnd == nil, let patience { patienceEnd = now().advanced(by: patience) }
        return patienceEnd
    }

    /// How long to wait before the next attempt; nil when there is none.
    ///
    /// - Parameter chance: evenly distributed over 0 ..< 1.
    mutating func wait(
        after failure: CallFailure, _ call: Call, _ retrying: Retrying?,
        at now: @autoclosure () -> ContinuousClock.Instant,
        chance: @autoclosure () -> Double
    ) -> Duration? {
        if failure.repeating == .unsent, call.waitsForReady {
            return waitUnsent(until: call.deadline, at: now(), chance: chance())
        }
        if failure.repeating == .unsent, let end = call.patienceEnd {
            let now = now()
            // Unlike a deadline, nothing else ends the call when that has passed.
            return now < end
                ? waitUnsent(until: call.deadline.map { min($0, end) } ?? end, at: now, chance: chance()) : nil
        }
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
        // What the policy itself says may be as long as it likes.
        guard delay <= max(retrying.policy.maxPushback, backoff) else { return nil }
        if let deadline = call.deadline, now().advanced(by: delay) >= deadline { return nil }
        attempts += 1
        return delay
    }

    private mutating func repeatsAtOnce(_ repeating: CallOutcome.Repeating, _ call: Call) -> Bool {
        switch repeating {
        case .never, .byPolicy: return false
        case .ifIdempotent where !call.isIdempotent: return false
        // Of what has left this side no more than one repeat goes unnoticed (gRFC A6, "Transparent Retries"): a server
        // that refuses everything would otherwise be asked without end.
        case .ifIdempotent, .refused, .unsent:
            left -= 1
            return left >= 0
        }
    }

    /// A call that waits for the server goes on waiting when it wasn't sent: at once the first time, when its connection
    /// was just being given up, and less and less often with a server that gives up every one.
    private mutating func waitUnsent(
        until deadline: ContinuousClock.Instant?, at now: ContinuousClock.Instant, chance: Double
    ) -> Duration {
        unsent.failed(at: now, chance: chance)
        let delay = unsent.wait(at: now) ?? .zero
        guard let deadline else { return delay }
        // What the call is told at its deadline, its next attempt says.
        return max(min(delay, deadline - now), .zero)
    }
}
