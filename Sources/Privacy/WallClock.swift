public import Foundation
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#endif

/// Says what time it is. Passed to everything that asks, so that tests own the time.
public protocol WallClock: Sendable {
    /// By which things are hidden: see ``ClockGuard``. For a clock that is not guarded, what it says.
    func now() -> Date

    /// By which things end and are erased, and which is stored with what happens. Never later than ``now()``.
    func confirmed() -> Date

    /// What the machine's clocks say.
    func reading() -> ClockReading
}

extension WallClock {
    public func confirmed() -> Date { now() }
}

/// The system's time.
public struct SystemWallClock: WallClock {
    /// Made by the kernel at every start.
    private static let bootID: String = {
        let file = FileHandle(forReadingAtPath: "/proc/sys/kernel/random/boot_id")
        let text = (try? file?.read(upToCount: 64)).map { String(decoding: $0, as: UTF8.self) }
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }()

    public init() {}

    public func now() -> Date { Date() }

    public func reading() -> ClockReading {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        let uptime = TimeInterval(time.tv_sec) + TimeInterval(time.tv_nsec) / 1_000_000_000
        return ClockReading(boot: Self.bootID, uptime: uptime, wall: now())
    }
}

/// A clock that stands still until it is told otherwise.
public final class ManualWallClock: WallClock {
    private let state: Mutex<ClockReading>

    public init(_ start: Date, boot: String = "first", uptime: TimeInterval = 0) {
        state = Mutex(ClockReading(boot: boot, uptime: uptime, wall: start))
    }

    public func now() -> Date { state.withLock { $0.wall } }

    public func reading() -> ClockReading { state.withLock { $0 } }

    /// Sets the time, backwards too, as a hand at the clock does. No time passes.
    public func set(_ date: Date) {
        state.withLock { $0.wall = date }
    }

    /// Lets time pass.
    public func advance(by seconds: TimeInterval) {
        state.withLock { state in
            state.wall.addTimeInterval(seconds)
            state.uptime += seconds
        }
    }

    /// Lets the time pass that there is until then.
    public func advance(to date: Date) {
        advance(by: date.timeIntervalSince(now()))
    }
}
