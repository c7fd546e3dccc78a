public import Foundation
internal import Synchronization

/// Says what time it is. Passed to everything that asks, so that tests own the time.
public protocol WallClock: Sendable {
    func now() -> Date
}

/// The system's time.
public struct SystemWallClock: WallClock {
    public init() {}

    public func now() -> Date { Date() }
}

/// A clock that stands still until it is told otherwise.
public final class ManualWallClock: WallClock {
    private let time: Mutex<Date>

    public init(_ start: Date) {
        time = Mutex(start)
    }

    public func now() -> Date {
        time.withLock { $0 }
    }

    /// Sets the time, backwards too.
    public func set(_ date: Date) {
        time.withLock { $0 = date }
    }

    public func advance(by seconds: TimeInterval) {
        time.withLock { $0 = $0.addingTimeInterval(seconds) }
    }
}

/// A clock that never goes backwards, not within the process and not past a value stored by an earlier one: what was
/// overdue once stays overdue when the system's clock is set back.
public final class HighWaterClock: WallClock {
    private let base: any WallClock
    private let mark: Mutex<Date>

    /// - Parameter stored: The ``highWater`` that the last process stored; `.distantPast` if there is none.
    public init(_ base: any WallClock, stored: Date = .distantPast) {
        self.base = base
        mark = Mutex(stored)
    }

    /// The base clock's time, or the latest time seen so far if the base clock is behind it.
    public func now() -> Date {
        // Read under the lock: two callers can't swap their readings on the way.
        mark.withLock { mark in
            mark = max(mark, base.now())
            return mark
        }
    }

    /// The latest time that was seen, without looking at the base clock; the value to store.
    public var highWater: Date {
        mark.withLock { $0 }
    }
}
