internal import Synchronization

/// When calls of idempotent methods that failed are made again (gRFC A6). Calls of other methods never are, nor a stream
/// whose responses have begun, nor a call whose requests are no longer at hand (64 KiB and one message are kept).
public struct RetryPolicy: Sendable {
    /// Attempts at one call, the first among them.
    public var maxAttempts = 3
    /// How long before the second attempt; a fifth either way is left to chance.
    public var initialBackoff: Duration = .milliseconds(50)
    /// What the wait grows to; a fifth either way is left to chance here too.
    public var maxBackoff: Duration = .seconds(1)
    /// The longest wait that a server may ask for (`RetryInfo`, or `grpc-retry-pushback-ms`). A call that is asked to
    /// wait for longer fails, and its caller may read for how long (``RPCError/retryAfter``).
    public var maxPushback: Duration = .seconds(60)
    /// What the wait grows by from attempt to attempt.
    public var multiplier = 2.0
    /// The statuses after which the call is made again.
    public var retryableCodes: Set<RPCError.Code> = [.unavailable]
    /// Shared by all calls of a channel.
    public var budget = RetryBudget()

    public init() {}

    /// The wait before the attempt that follows the `attempts`th.
    ///
    /// - Parameter chance: evenly distributed over 0 ..< 1.
    func backoff(after attempts: Int, chance: Double) -> Duration {
        var delay = initialBackoff
        for _ in 1..<max(attempts, 1) where delay < maxBackoff { delay = delay * multiplier }
        return max(min(delay, maxBackoff), .zero) * (0.8 + 0.4 * chance)
    }
}

/// What retries may add to the load of a server that fails: each attempt that fails takes one token, each call that goes
/// well gives back `ratio` of one, and there are retries only while more than half of `tokens` are left.
public struct RetryBudget: Sendable {
    public var tokens: Double
    public var ratio: Double

    public init(tokens: Double = 10, ratio: Double = 0.1) {
        self.tokens = tokens
        self.ratio = ratio
    }
}

/// A channel's retry policy with what is left of its budget.
final class Retrying: Sendable {
    let policy: RetryPolicy
    private let tokens: Mutex<Double>

    init(_ policy: RetryPolicy) {
        self.policy = policy
        tokens = Mutex(policy.budget.tokens)
    }

    func succeeded() {
        tokens.withLock { $0 = min($0 + policy.budget.ratio, policy.budget.tokens) }
    }

    /// An attempt failed; whether the budget allows for another.
    func failed() -> Bool {
        tokens.withLock { tokens in
            tokens = max(tokens - 1, 0)
            return tokens > policy.budget.tokens / 2
        }
    }
}
