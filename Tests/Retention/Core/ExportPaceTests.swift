import RetentionCore
import Testing

@Suite("How long an export may take")
struct ExportPaceTests {
    private let start = ContinuousClock.now
    private var pace: ExportPace

    init() {
        var limits = ExportPace.Limits()
        limits.longestPause = .seconds(30)
        limits.allowance = .seconds(120)
        limits.bytesPerSecond = 1_000
        limits.longestWork = .seconds(60)
        pace = ExportPace(limits: limits, now: start)
    }

    @Test("a reader that takes nothing is given up after the pause, and not before")
    mutating func stalled() {
        pace.offer(at: start + .seconds(5))
        #expect(pace.problem(at: start + .seconds(34)) == nil)
        #expect(pace.due == start + .seconds(35))
        #expect(pace.problem(at: start + .seconds(35)) == .stalled)
    }

    @Test("pauses add up: a reader that takes a little each time has the allowance and no more")
    mutating func trickle() {
        var now = start
        for _ in 0..<6 {
            pace.offer(at: now)
            now += .seconds(20)
            pace.taken(1, at: now)
            #expect(pace.problem(at: now) == nil)
        }
        pace.offer(at: now)
        #expect(pace.problem(at: now + .seconds(1)) == .tooSlow)
    }

    @Test("what a reader takes lengthens the time it has, at the lowest speed that is served")
    mutating func grows() {
        var now = start
        for _ in 0..<1_000 {
            pace.offer(at: now)
            now += .seconds(10)
            pace.taken(10_000, at: now)
            #expect(pace.problem(at: now) == nil)
        }
        for _ in 0..<12 {
            pace.offer(at: now)
            now += .seconds(10)
            pace.taken(0, at: now)
        }
        pace.offer(at: now)
        #expect(pace.problem(at: now + .milliseconds(1)) == .tooSlow)
    }

    @Test("time that chat takes is not the reader's, and has a bound of its own")
    mutating func work() {
        var now = start
        for _ in 0..<100 {
            now += .seconds(59)
            #expect(pace.problem(at: now) == nil)
            pace.offer(at: now)
            pace.taken(100, at: now)
        }
        #expect(pace.problem(at: now + .seconds(60)) == .chatTooSlow)
    }
}
