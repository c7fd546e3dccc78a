/// How long to wait before the next try: doubling from a first wait to a longest one, each shortened at random by up
/// to a half, so that many who failed together do not come back together.
package struct Backoff: Sendable {
    private let first: Duration
    private let longest: Duration
    private var next: Duration

    package init(first: Duration = .milliseconds(100), longest: Duration = .seconds(5)) {
        self.first = first
        self.longest = longest
        next = first
    }

    /// - Parameter random: from 0 to 1.
    package mutating func wait(random: Double) -> Duration {
        let wait = next
        next = min(next * 2, longest)
        return wait * (1 - 0.5 * min(max(random, 0), 1))
    }

    /// It worked: the next failure is a first one again.
    package mutating func reset() { next = first }
}
