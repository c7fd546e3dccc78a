public import Foundation
internal import Synchronization

/// Says what time it is. Passed to everything that asks, so that tests own the time.
public protocol WallClock: Sendable {
    func now() -> Date

    /// Seconds since some moment, at the pace of time: setting the clock does not change it.
    func uptime() -> TimeInterval
}

/// The system's time.
public struct SystemWallClock: WallClock {
    public init() {}

    private static let began = ContinuousClock.now

    public func now() -> Date { Date() }

    public func uptime() -> TimeInterval {
        Self.began.duration(to: .now) / .seconds(1)
    }
}

/// A clock that stands still until it is told otherwise.
public final class ManualWallClock: WallClock {
    private let time: Mutex<(date: Date, uptime: TimeInterval)>

    public init(_ start: Date) {
        time = Mutex((start, 0))
    }

    public func now() -> Date {
        time.withLock { $0.date }
    }

    public func uptime() -> TimeInterval {
        time.withLock { $0.uptime }
    }

    /// Sets the time, backwards too. No time passes.
    public func set(_ date: Date) {
        time.withLock { $0.date = date }
    }

    /// Lets time pass.
    public func advance(by seconds: TimeInterval) {
        time.withLock { $0 = ($0.date.addingTimeInterval(seconds), $0.uptime + seconds) }
    }
}

/// A clock that never goes backwards, not within the process and not past a value stored by an earlier one: what was
/// overdue once stays overdue when the system's clock is set back.
///
/// Nor does it stand still. A system's clock that was years ahead for a moment would otherwise hold it there until the
/// real time has caught up, and no deadline would come in those years. So it goes on from its mark as time passes.
public final class HighWaterClock: WallClock {
    /// How far behind the base clock may be, in seconds, and simply be waited for: small corrections are everyday.
    private static let patience: TimeInterval = 60

    private struct State {
        var mark: Date
        /// Where the mark was, and the uptime, when the base clock was first seen far behind.
        var departure: (mark: Date, uptime: TimeInterval)?
    }

    private let base: any WallClock
    private let state: Mutex<State>

    /// - Parameter stored: The ``highWater`` that the last process stored; `.distantPast` if there is none.
    public init(_ base: any WallClock, stored: Date = .distantPast) {
        self.base = base
        state = Mutex(State(mark: stored))
    }

    /// The base clock's time; or, while the base clock is behind, the latest time seen and what has passed since.
    public func now() -> Date {
        // Read under the lock: two callers can't swap their readings on the way.
        state.withLock { state in
            let time = base.now()
            if state.mark.timeIntervalSince(time) <= Self.patience {
                state.mark = max(state.mark, time)
                state.departure = nil
            } else {
                let uptime = base.uptime()
                let departure = state.departure ?? (state.mark, uptime)
                state.departure = departure
                state.mark = max(state.mark, departure.mark.addingTimeInterval(uptime - departure.uptime))
            }
            return state.mark
        }
    }

    public func uptime() -> TimeInterval { base.uptime() }

    /// The latest time that was seen, without looking at the base clock; the value to store.
    public var highWater: Date {
        state.withLock { $0.mark }
    }
}
