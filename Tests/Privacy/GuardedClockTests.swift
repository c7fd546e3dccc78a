import Foundation
import Privacy
import Synchronization
import Testing

@Suite("The guarded clock")
struct GuardedClockTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let weeks: TimeInterval = 70 * 86_400

    /// What an observer was told.
    private final class Told: Sendable {
        let conditions = Mutex<[(ClockGuard.Condition, Bool)]>([])

        func observe(_ clock: GuardedClock) {
            clock.observe { status in
                self.conditions.withLock { $0.append((status.condition, status.isSelfConfirmed)) }
            }
        }

        var all: [String] { conditions.withLock { $0.map { "\($0.0)\($0.1 ? " by itself" : "")" } } }
    }

    @Test("an observer is told each change once, and whether a step was confirmed by itself")
    func observed() {
        let machine = ManualWallClock(start)
        let clock = GuardedClock(machine, stored: nil)
        let told = Told()
        told.observe(clock)
        #expect(told.all.isEmpty)
        machine.set(start + weeks)
        for _ in 0..<3 { #expect(clock.now() == start + weeks && clock.confirmed() == start) }
        machine.set(start)
        #expect(clock.now() == start)
        machine.set(start + weeks)
        _ = clock.now()
        machine.advance(by: 3600)
        #expect(clock.confirmed() == start + weeks + 3600)
        machine.set(start)
        #expect(clock.status.condition == .behind && !clock.confirm())
        let isSet = clock.setMark(to: start)
        #expect(isSet && clock.status.stepSeconds == 0)
        #expect(told.all == ["ahead", "steady", "ahead", "steady by itself", "behind", "steady"])
    }

    @Test("who begins to observe a clock that is not steady is told at once")
    func toldAtOnce() {
        let machine = ManualWallClock(start)
        let mark = GuardedClock(machine, stored: nil).mark
        machine.set(start + weeks)
        let told = Told()
        told.observe(GuardedClock(machine, stored: mark))
        #expect(told.all == ["ahead"])
    }

    @Test("many who ask at once see time that never goes back")
    func together() async {
        let clock = GuardedClock(SystemWallClock(), stored: nil)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var latest = Date.distantPast
                    for _ in 0..<1000 {
                        let now = clock.confirmed()
                        if now < latest { return false }
                        latest = now
                    }
                    return true
                }
            }
            for await isMonotonic in group { #expect(isMonotonic) }
        }
    }
}
