public import Foundation
internal import Synchronization

/// The machine's clock, believed only as far as ``ClockGuard`` believes it.
public final class GuardedClock: WallClock {
    /// What is known of the clock at one moment.
    public struct Status: Sendable, Equatable {
        public var condition: ClockGuard.Condition
        public var machineTime: Date
        public var confirmedTime: Date
        public var hidingTime: Date
        /// The machine's time less what can have passed, in seconds; 0 while the clock is steady.
        public var stepSeconds: TimeInterval
        /// For how much longer it must be steady until time goes on by itself.
        public var secondsToWait: TimeInterval
        /// Whether a step has just been confirmed by an hour of a steady clock.
        public var isSelfConfirmed = false
    }

    private struct State {
        var clock: ClockGuard
        var observer: (@Sendable (Status) -> Void)?
    }

    private let base: any WallClock
    private let state: Mutex<State>

    /// - Parameter stored: the ``mark`` that the process before has stored; nil if there was none.
    public init(_ base: any WallClock, stored: ClockMark?) {
        self.base = base
        state = Mutex(State(clock: ClockGuard(stored: stored, at: base.reading())))
    }

    public func now() -> Date { observing { $0.hidingTime } }

    public func confirmed() -> Date { observing { $0.confirmedTime } }

    public func reading() -> ClockReading { base.reading() }

    /// What to store: the latest time that is confirmed.
    public var mark: ClockMark { observing { $0.mark } }

    public var status: Status { observing(Self.status) }

    /// Tells whenever the condition changes, and at once of one that is not steady. One observer at a time.
    public func observe(_ observer: @escaping @Sendable (Status) -> Void) {
        let status = state.withLock { state in
            state.observer = observer
            return Self.status(of: state.clock)
        }
        if status.condition != .steady { observer(status) }
    }

    /// The operator says that the machine's clock is right.
    /// - Returns: false while it is behind the mark.
    public func confirm() -> Bool { change { $0.confirm(at: $1) } }

    /// The operator says what time it is, also an earlier one than the mark.
    /// - Returns: false unless the machine's clock says the same.
    public func setMark(to time: Date) -> Bool { change { $0.set(to: time, at: $1) } }

    private func observing<Value: Sendable>(_ value: @Sendable (ClockGuard) -> Value) -> Value {
        change { clock, reading in
            clock.observe(reading)
            return value(clock)
        }
    }

    private func change<Value: Sendable>(_ body: (inout ClockGuard, ClockReading) -> Value) -> Value {
        let (value, changed): (Value, (Status, (@Sendable (Status) -> Void)?)?) = state.withLock { state in
            let (before, confirmations) = (state.clock.condition, state.clock.selfConfirmations)
            // Read under the lock: two callers can't swap their readings on the way.
            let value = body(&state.clock, base.reading())
            guard state.clock.condition != before else { return (value, nil) }
            var status = Self.status(of: state.clock)
            status.isSelfConfirmed = state.clock.selfConfirmations > confirmations
            return (value, (status, state.observer))
        }
        if let (status, observer) = changed { observer?(status) }
        return value
    }

    private static func status(of clock: ClockGuard) -> Status {
        Status(
            condition: clock.condition, machineTime: clock.machineTime, confirmedTime: clock.confirmedTime,
            hidingTime: clock.hidingTime, stepSeconds: clock.condition == .steady ? 0 : clock.stepSeconds,
            secondsToWait: clock.secondsToWait)
    }
}
