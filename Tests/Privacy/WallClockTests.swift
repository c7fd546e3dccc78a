import Foundation
import Privacy
import Testing

@Suite("Clocks")
struct WallClockTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)

    @Test("a manual clock stands still until it is told otherwise")
    func manual() {
        let clock = ManualWallClock(start)
        #expect(clock.now() == start && clock.now() == start)
        clock.advance(by: 60)
        #expect(clock.now() == start.addingTimeInterval(60))
        clock.set(start)
        #expect(clock.now() == start)
    }

    @Test("the system's clock moves with the system's time")
    func system() {
        let before = Date()
        let now = SystemWallClock().now()
        #expect(before <= now && now <= Date())
    }

    @Test("a high-water clock follows its base forwards and never goes back with it")
    func highWater() {
        let base = ManualWallClock(start)
        let clock = HighWaterClock(base)
        #expect(clock.now() == start)
        base.advance(by: 100)
        #expect(clock.now() == start.addingTimeInterval(100))
        base.set(start.addingTimeInterval(-86_400))
        #expect(clock.now() == start.addingTimeInterval(100))
        base.set(start.addingTimeInterval(101))
        #expect(clock.now() == start.addingTimeInterval(101))
    }

    @Test("a high-water clock starts no earlier than what an earlier process stored")
    func stored() {
        let base = ManualWallClock(start)
        let earlier = HighWaterClock(base)
        base.advance(by: 3600)
        _ = earlier.now()
        base.set(start)
        let later = HighWaterClock(base, stored: earlier.highWater)
        #expect(later.now() == start.addingTimeInterval(3600))
    }

    @Test("a clock that was years ahead for a moment does not stop: deadlines come as time passes")
    func aheadForAMoment() {
        let base = ManualWallClock(start)
        let ahead = start.addingTimeInterval(50 * 365 * 86_400)
        base.set(ahead)
        let clock = HighWaterClock(base)
        #expect(clock.now() == ahead)
        base.set(start)
        #expect(clock.now() == ahead)
        base.advance(by: 86_400)
        #expect(clock.now() == ahead.addingTimeInterval(86_400))

        let restarted = HighWaterClock(base, stored: clock.highWater)
        #expect(restarted.now() == ahead.addingTimeInterval(86_400))
        base.advance(by: 30 * 86_400)
        #expect(restarted.now() == ahead.addingTimeInterval(31 * 86_400))
    }

    @Test("a small correction backwards is waited for, so that the clock does not stay ahead")
    func smallCorrection() {
        let base = ManualWallClock(start)
        let clock = HighWaterClock(base)
        _ = clock.now()
        base.set(start.addingTimeInterval(-30))
        base.advance(by: 20)
        #expect(clock.now() == start)
        base.advance(by: 20)
        #expect(clock.now() == start.addingTimeInterval(10))
    }

    @Test("asking for the mark does not move it")
    func mark() {
        let base = ManualWallClock(start)
        let clock = HighWaterClock(base, stored: start)
        base.advance(by: 5)
        #expect(clock.highWater == start)
        _ = clock.now()
        #expect(clock.highWater == start.addingTimeInterval(5))
    }

    @Test("no caller sees time go back, however many ask while the base clock jumps about")
    func concurrency() async {
        let base = ManualWallClock(start)
        let clock = HighWaterClock(base)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var last = Date.distantPast
                    for step in 0..<500 {
                        base.set(Date(timeIntervalSince1970: Double((step * 7919 + task * 104_729) % 10_000)))
                        let now = clock.now()
                        if now < last { return false }
                        last = now
                    }
                    return true
                }
            }
            for await isMonotonic in group { #expect(isMonotonic) }
        }
    }
}
