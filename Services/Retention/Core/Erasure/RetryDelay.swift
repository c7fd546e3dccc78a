/// How long to wait before trying an erasure again that failed: doubling, to a ceiling well within the hour in which
/// an overdue session has to be physically gone.
package struct RetryDelay: Sendable, Equatable {
    package var first: Duration
    package var longest: Duration

    package init(first: Duration = .seconds(1), longest: Duration = .seconds(300)) {
        self.first = first
        self.longest = longest
    }

    /// - Parameter failures: how many tries have failed, from 1.
    package func delay(failures: Int) -> Duration {
        var delay = min(first, longest)
        for _ in 1..<max(1, failures) where delay < longest {
            delay = min(delay * 2, longest)
        }
        return delay
    }
}
