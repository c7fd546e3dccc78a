public import Foundation

/// What a machine's clocks say at one moment.
public struct ClockReading: Sendable, Equatable {
    /// Names this start of the machine: a new one at every start.
    public var boot: String
    /// Seconds since that start, with those it slept through. Setting the clock does not change it.
    public var uptime: TimeInterval
    /// What the clock on the wall says, which can be set.
    public var wall: Date

    public init(boot: String, uptime: TimeInterval, wall: Date) {
        self.boot = boot
        self.uptime = uptime
        self.wall = wall
    }
}

/// A time that is confirmed, and when it was: the latest one is stored, for the next process.
public struct ClockMark: Sendable, Equatable {
    public var time: Date
    public var boot: String
    public var uptime: TimeInterval

    public init(time: Date, boot: String, uptime: TimeInterval) {
        self.time = time
        self.boot = boot
        self.uptime = uptime
    }
}

/// Decides which time to believe. Free of I/O: it is handed readings.
///
/// ```
/// steady ──the wall clock steps ahead──▶ ahead ──steady for an hour, or confirmed──▶ steady
///   │                                      └──the step is taken back──▶ steady
///   └──it falls behind──▶ behind ──catches up, or the mark is set──▶ steady
/// ```
/// Two questions have two answers. What is *hidden* goes by the latest of all times that might be right: hiding is undone
/// when a step is taken back. What *ends or is erased* goes by the confirmed time, which is never later than what is
/// certain to have passed: nothing undoes an erasure.
///
/// - While the clock is ahead, the confirmed time goes on from before the step, at the pace of the uptime.
/// - While it is behind, the confirmed time stands still for an hour, and then goes on at the pace of the uptime: what was
///   overdue stays overdue, and deadlines come although the clock is wrong.
public struct ClockGuard: Sendable {
    /// Corrections up to this many seconds are everyday, and are followed. In an hour they come to no more.
    public static let tolerance: TimeInterval = 300
    /// Seconds for which the clock must be steady after a step, until it is confirmed by itself.
    public static let probation: TimeInterval = 3600
    /// How far ahead the clock may be after the machine was off: a weekend is no step.
    public static let longestDowntime: TimeInterval = 48 * 3600

    public enum Condition: Sendable, Equatable {
        case steady
        /// The wall clock is ahead of what can have passed.
        case ahead
        /// The wall clock is behind the confirmed time.
        case behind
    }

    /// A line of time: where it was at some uptime.
    private struct Line: Sendable, Equatable {
        var time: Date
        var uptime: TimeInterval

        func at(_ uptime: TimeInterval) -> Date { time.addingTimeInterval(uptime - self.uptime) }
    }

    public private(set) var condition = Condition.steady
    /// The latest confirmed time; only ``set(to:at:)`` moves it back.
    public private(set) var mark: ClockMark
    /// How often a step was confirmed by an hour of a steady clock.
    public private(set) var selfConfirmations = 0
    private var latest: ClockReading
    /// What the wall clock is measured against, at most an hour old while it is steady.
    private var trusted: Line
    /// Where the wall clock was when it was first seen off the line; nil while it is steady.
    private var stepped: Line?

    /// - Parameter stored: The ``mark`` of the process before; nil: there was none, and the clock is believed.
    public init(stored: ClockMark?, at reading: ClockReading) {
        latest = reading
        guard let stored else {
            trusted = Line(time: reading.wall, uptime: reading.uptime)
            mark = ClockMark(time: reading.wall, boot: reading.boot, uptime: reading.uptime)
            return
        }
        mark = stored
        if stored.boot == reading.boot, stored.uptime <= reading.uptime {
            trusted = Line(time: stored.time, uptime: stored.uptime)
            observe(reading)
            return
        }
        // Started anew, or the data is on another machine, whose uptime says nothing about the time since the mark. So
        // the wall clock is believed from the mark on, as far as the uptime and a weekend go; otherwise only the mark is.
        mark = ClockMark(time: stored.time, boot: reading.boot, uptime: reading.uptime)
        let passed = reading.wall.timeIntervalSince(stored.time)
        let isLikely = passed >= 0 && passed <= reading.uptime + Self.longestDowntime
        trusted = Line(time: isLikely ? reading.wall : stored.time, uptime: reading.uptime)
        observe(reading)
    }

    /// Takes note of what the clocks say. Readings come in the order in which they were taken.
    public mutating func observe(_ reading: ClockReading) {
        latest = reading
        let step = stepSeconds
        if abs(step) <= Self.tolerance {
            condition = .steady
            stepped = nil
            // The line is renewed once an hour, so that a clock that runs fast doesn't get away with a little at a time.
            if reading.uptime - trusted.uptime >= Self.probation { trust(reading) }
        } else {
            let wasOff = condition
            condition = step > 0 ? .ahead : .behind
            let isSameStep =
                wasOff == condition
                && stepped.map { abs(reading.wall.timeIntervalSince($0.at(reading.uptime))) <= Self.tolerance } ?? false
            if !isSameStep { stepped = Line(time: reading.wall, uptime: reading.uptime) }
            if condition == .ahead, secondsToWait == 0 {
                selfConfirmations += 1
                trust(reading)
            }
        }
        advance()
    }

    /// By which things are hidden: the latest of the times that might be right. Goes back when a step is taken back.
    public var hidingTime: Date { max(latest.wall, trusted.at(latest.uptime), mark.time) }

    /// By which things end and are erased.
    public var confirmedTime: Date { mark.time }

    /// What the wall clock says.
    public var machineTime: Date { latest.wall }

    /// The wall clock's time less what can have passed, in seconds.
    public var stepSeconds: TimeInterval { latest.wall.timeIntervalSince(trusted.at(latest.uptime)) }

    /// For how much longer the clock must be steady until time goes on by itself; 0 while it does.
    public var secondsToWait: TimeInterval {
        stepped.map { max(0, Self.probation - (latest.uptime - $0.uptime)) } ?? 0
    }

    /// The wall clock is right after a step ahead, says somebody who knows.
    /// - Returns: false while it is behind: the mark would have to go back.
    public mutating func confirm(at reading: ClockReading) -> Bool {
        observe(reading)
        if condition == .behind { return false }
        trust(reading)
        advance()
        return true
    }

    /// The mark was wrong, says somebody who knows what time it is.
    /// - Returns: false unless the wall clock says the same.
    public mutating func set(to time: Date, at reading: ClockReading) -> Bool {
        latest = reading
        guard abs(reading.wall.timeIntervalSince(time)) <= Self.tolerance else { return false }
        trust(reading)
        mark = ClockMark(time: reading.wall, boot: reading.boot, uptime: reading.uptime)
        return true
    }

    private mutating func trust(_ reading: ClockReading) {
        trusted = Line(time: reading.wall, uptime: reading.uptime)
        condition = .steady
        stepped = nil
    }

    /// Moves the mark to the time that is confirmed now; never back.
    private mutating func advance() {
        let time: Date
        switch condition {
        case .steady: time = latest.wall
        case .behind where secondsToWait > 0: return
        case .ahead, .behind: time = trusted.at(latest.uptime)
        }
        guard time >= mark.time else { return }
        mark = ClockMark(time: time, boot: latest.boot, uptime: latest.uptime)
    }
}
