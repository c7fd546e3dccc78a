import Foundation
import Privacy
import Testing

/// A machine whose clock can be set, and which can be started anew; `truth` is what nobody can set.
struct Machine {
    var truth = Date(timeIntervalSince1970: 1_800_000_000)
    /// How wrong the wall clock is, in seconds.
    var error: TimeInterval = 0
    var boot = 1
    var uptime: TimeInterval = 1000

    var wall: Date { truth + error }
    var reading: ClockReading { ClockReading(boot: "boot-\(boot)", uptime: uptime, wall: wall) }

    mutating func pass(_ seconds: TimeInterval) {
        truth += seconds
        uptime += seconds
    }

    /// Is off for so long, and up for 30 seconds when the service starts.
    mutating func restart(off seconds: TimeInterval) {
        truth += seconds + 30
        boot += 1
        uptime = 30
    }
}

@Suite("Which time is believed")
struct ClockGuardTests {
    private let day: TimeInterval = 86_400
    private let hour: TimeInterval = 3600

    /// A clock that is steady, on a machine whose clock is right.
    private func steady() -> (Machine, ClockGuard) {
        var machine = Machine()
        var clock = ClockGuard(stored: nil, at: machine.reading)
        machine.pass(10)
        clock.observe(machine.reading)
        return (machine, clock)
    }

    /// The hour in steps of a minute.
    private func live(_ seconds: TimeInterval, _ machine: inout Machine, _ clock: inout ClockGuard) {
        var left = seconds
        while left > 0 {
            machine.pass(min(60, left))
            left -= 60
            clock.observe(machine.reading)
        }
    }

    @Test("a clock that is right is followed")
    func right() {
        var (machine, clock) = steady()
        live(30 * hour, &machine, &clock)
        #expect(clock.condition == .steady && clock.secondsToWait == 0)
        #expect(clock.confirmedTime == machine.wall && clock.hidingTime == machine.wall)
    }

    @Test("corrections up to five minutes are followed, and never make the confirmed time go back")
    func corrections() {
        var (machine, clock) = steady()
        machine.error = 300
        clock.observe(machine.reading)
        #expect(clock.condition == .steady && clock.confirmedTime == machine.wall)
        let latest = clock.confirmedTime
        machine.error = -290
        clock.observe(machine.reading)
        #expect(clock.condition == .steady && clock.confirmedTime == latest && clock.hidingTime == latest)
        live(700, &machine, &clock)
        #expect(clock.confirmedTime == machine.wall)
    }

    @Test("a step of more hides at once and confirms nothing")
    func ahead() {
        var (machine, clock) = steady()
        machine.error = 301
        clock.observe(machine.reading)
        #expect(clock.condition == .ahead && clock.stepSeconds == 301)
        #expect(clock.hidingTime == machine.wall && clock.confirmedTime == machine.truth)
    }

    @Test("70 days ahead for 4 seconds leave nothing behind, in this process or the next")
    func takenBack() {
        var (machine, clock) = steady()
        machine.error = 70 * day
        for _ in 0..<4 {
            machine.pass(1)
            clock.observe(machine.reading)
            #expect(clock.hidingTime == machine.wall)
            #expect(clock.confirmedTime == machine.truth && clock.mark.time == machine.truth)
        }
        machine.error = 0
        machine.pass(1)
        clock.observe(machine.reading)
        #expect(clock.condition == .steady)
        #expect(clock.hidingTime == machine.truth && clock.confirmedTime == machine.truth)
        let next = ClockGuard(stored: clock.mark, at: machine.reading)
        #expect(next.condition == .steady && next.hidingTime == machine.truth)
    }

    @Test("a step that stays is confirmed by itself after an hour, and not a minute earlier")
    func staysAhead() {
        var (machine, clock) = steady()
        machine.error = 70 * day
        clock.observe(machine.reading)
        live(59 * 60, &machine, &clock)
        #expect(clock.condition == .ahead && clock.secondsToWait == 60)
        #expect(clock.confirmedTime == machine.truth)
        #expect(clock.selfConfirmations == 0)
        live(60, &machine, &clock)
        #expect(clock.condition == .steady && clock.confirmedTime == machine.wall)
        #expect(clock.selfConfirmations == 1)
    }

    @Test("another step begins the hour anew, and meanwhile time goes on from before the first")
    func unsteady() {
        var (machine, clock) = steady()
        for step in 1...10 {
            machine.error = Double(step) * 10 * day
            live(50 * 60, &machine, &clock)
            #expect(clock.condition == .ahead)
            #expect(clock.confirmedTime == machine.truth && clock.hidingTime == machine.wall)
        }
    }

    @Test("the operator's word confirms a step at once, and the next process knows")
    func confirmed() {
        var (machine, clock) = steady()
        machine.error = 70 * day
        clock.observe(machine.reading)
        let before = clock.mark
        let isConfirmed = clock.confirm(at: machine.reading)
        #expect(isConfirmed)
        #expect(clock.condition == .steady && clock.confirmedTime == machine.wall && clock.mark.time > before.time)
        machine.pass(5)
        #expect(ClockGuard(stored: clock.mark, at: machine.reading).condition == .steady)
        // Saying it again changes nothing.
        let steady = clock
        let isAgain = clock.confirm(
            at: ClockReading(boot: steady.mark.boot, uptime: steady.mark.uptime, wall: machine.wall - 5))
        #expect(isAgain)
        #expect(clock.confirmedTime == steady.confirmedTime)
    }

    @Test("the process that starts while the clock is ahead hides, and begins the hour anew")
    func restartedAhead() {
        var (machine, clock) = steady()
        machine.error = 70 * day
        live(50 * 60, &machine, &clock)
        machine.pass(5)
        var next = ClockGuard(stored: clock.mark, at: machine.reading)
        #expect(next.condition == .ahead && next.secondsToWait == hour)
        #expect(next.hidingTime == machine.wall && next.confirmedTime == machine.truth)
        machine.error = 0
        next.observe(machine.reading)
        #expect(next.condition == .steady && next.hidingTime == machine.truth)
    }

    @Test("a clock that falls behind brings nothing back, and what is due still comes")
    func behind() {
        var (machine, clock) = steady()
        let latest = clock.confirmedTime
        machine.error = -70 * day
        live(59 * 60, &machine, &clock)
        #expect(clock.condition == .behind && clock.hidingTime == machine.truth)
        // For an hour it may be the confirmed time that is wrong: nothing is erased.
        let isConfirmed = clock.confirm(at: machine.reading)
        #expect(clock.confirmedTime == latest && !isConfirmed)
        live(2 * 60, &machine, &clock)
        #expect(clock.condition == .behind && clock.confirmedTime == machine.truth)
        live(30 * day, &machine, &clock)
        #expect(clock.confirmedTime == machine.truth && clock.hidingTime == machine.truth)
        // Set right, it is simply right again.
        machine.error = 0
        clock.observe(machine.reading)
        #expect(clock.condition == .steady && clock.confirmedTime == machine.truth)
    }

    @Test("a wrong mark is set right, if the machine's clock says the same")
    func setRight() {
        var (machine, clock) = steady()
        machine.error = 70 * day
        let isConfirmed = clock.confirm(at: machine.reading)
        #expect(isConfirmed)
        machine.error = 0
        machine.pass(10)
        clock.observe(machine.reading)
        #expect(clock.condition == .behind && clock.hidingTime == machine.truth + 70 * day)
        let isSetWrong = clock.set(to: machine.truth - 301, at: machine.reading)
        #expect(!isSetWrong && clock.condition == .behind)
        let isSet = clock.set(to: machine.truth - 299, at: machine.reading)
        #expect(isSet && clock.condition == .steady)
        #expect(clock.hidingTime == machine.truth && clock.confirmedTime == machine.truth)
        #expect(ClockGuard(stored: clock.mark, at: machine.reading).hidingTime == machine.truth)
    }

    @Test(
        "after the machine was off for up to 48 hours the clock is believed; beyond, a step is one",
        arguments: [1.0, 47.9])
    func shortDowntime(hours: Double) {
        var (machine, clock) = steady()
        let mark = clock.mark
        machine.restart(off: hours * hour)
        let next = ClockGuard(stored: mark, at: machine.reading)
        #expect(next.condition == .steady && next.confirmedTime == machine.wall)
        machine.restart(off: 48.1 * hour)
        clock = ClockGuard(stored: next.mark, at: machine.reading)
        #expect(clock.condition == .ahead && clock.hidingTime == machine.wall)
        // Nothing more is certain than what was: the uptime may be another machine's.
        #expect(clock.confirmedTime == next.confirmedTime)
        live(hour, &machine, &clock)
        #expect(clock.condition == .steady && clock.confirmedTime == machine.wall)
    }

    @Test(
        "a machine that starts with a clock of years ago goes on from its mark, and follows the clock once it is right")
    func deadBattery() {
        let (first, clock) = steady()
        var machine = first
        machine.restart(off: hour)
        machine.error = -20 * 365 * day
        var next = ClockGuard(stored: clock.mark, at: machine.reading)
        #expect(next.condition == .behind && next.hidingTime >= clock.mark.time)
        machine.error = 0
        machine.pass(20)
        next.observe(machine.reading)
        // It was off for an hour, of which nobody knew.
        #expect(next.condition == .ahead && next.hidingTime == machine.truth)
        live(hour, &machine, &next)
        #expect(next.condition == .steady && next.confirmedTime == machine.truth)
    }

    @Test(
        "data on a machine that has been up for 200 days is hidden and erased no sooner",
        arguments: [0.0, -1.0, 3600.0])
    func anotherMachine(error: Double) {
        var (machine, clock) = steady()
        let mark = clock.mark
        machine.restart(off: hour)
        machine.uptime = 200 * day
        machine.error = error
        clock = ClockGuard(stored: mark, at: machine.reading)
        #expect(clock.condition == .steady && clock.confirmedTime == machine.wall && clock.hidingTime == machine.wall)
        live(3 * hour, &machine, &clock)
        #expect(clock.confirmedTime == machine.wall)
        // The same with a clock that is wrong: what was certain stays, and time goes on from there after an hour.
        machine.error = -day
        var behind = ClockGuard(stored: mark, at: machine.reading)
        #expect(behind.condition == .behind && behind.hidingTime == mark.time)
        live(3 * hour, &machine, &behind)
        #expect(behind.confirmedTime <= machine.truth && behind.hidingTime <= machine.truth)
    }

    @Test("a mark of the same start with a later uptime is of another one: a copy of the machine")
    func rolledBack() {
        let (machine, clock) = steady()
        var mark = clock.mark
        mark.uptime += 5000
        let next = ClockGuard(stored: mark, at: machine.reading)
        #expect(next.confirmedTime >= mark.time)
    }

    @Test("a clock that runs fast gains five minutes an hour at most before it is noticed")
    func fast() {
        var (machine, clock) = steady()
        for _ in 0..<(10 * 60) {
            machine.pass(60)
            machine.error += 4
            clock.observe(machine.reading)
            #expect(clock.condition == .steady)
        }
        machine.error += 290
        for _ in 0..<30 {
            machine.pass(60)
            machine.error += 10
            clock.observe(machine.reading)
        }
        #expect(clock.condition == .ahead)
    }
}
