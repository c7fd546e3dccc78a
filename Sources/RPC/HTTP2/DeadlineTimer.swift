internal import NIOCore

/// One timer for the deadlines of all the calls on a connection.
///
/// Nearly every call is over long before its deadline, so none has a timer of its own: this one is set for the earliest
/// deadline it has heard of, and when it fires its owner looks at every call and says which deadline is next.
struct DeadlineTimer {
    private var scheduled: Scheduled<Void>?
    private var due: NIODeadline?

    /// Makes sure that `fire` is called on the loop no later than the deadline.
    mutating func require(
        _ deadline: NIODeadline, on eventLoop: any EventLoop, fire: @escaping @Sendable () -> Void
    ) {
        if let due, due <= deadline { return }
        scheduled?.cancel()
        due = deadline
        scheduled = eventLoop.scheduleTask(deadline: deadline, fire)
    }

    /// The timer has fired, or is no longer wanted.
    mutating func clear() {
        scheduled?.cancel()
        scheduled = nil
        due = nil
    }
}

extension NIODeadline {
    /// The same moment on the event loops' clock, as far as the two clocks agree on what is left of it; now, when it has
    /// passed. (A `TimeAmount` makes the longest time there is of one that it can't hold, of one below zero too.)
    init(at instant: ContinuousClock.Instant) {
        self = .now() + TimeAmount(max(instant - ContinuousClock.now, .zero))
    }
}
