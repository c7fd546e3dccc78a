internal import NIOCore

/// One timer for the deadlines of all the calls on a connection.
///
/// Nearly every call is over long before its deadline, so none has a timer of its own: this one is set for the earliest
/// deadline it has heard of, and when it fires its owner looks at every call and says which deadline is next.
struct DeadlineTimer {
    private var scheduled: Scheduled<Void>?
    private var due: ContinuousClock.Instant?

    /// Makes sure that `fire` is called on the loop no later than the deadline.
    mutating func require(
        _ deadline: ContinuousClock.Instant, on eventLoop: any EventLoop, fire: @escaping @Sendable () -> Void
    ) {
        if let due, due <= deadline { return }
        scheduled?.cancel()
        due = deadline
        scheduled = eventLoop.scheduleTask(in: DeadlineTimer.delay(until: deadline), fire)
    }

    /// The timer has fired, or is no longer wanted.
    mutating func clear() {
        scheduled?.cancel()
        scheduled = nil
        due = nil
    }

    /// Rounded up, so that the deadline has passed when the timer fires.
    static func delay(until deadline: ContinuousClock.Instant, now: ContinuousClock.Instant = .now) -> TimeAmount {
        TimeAmount(max(.zero, deadline - now)) + .milliseconds(1)
    }
}
