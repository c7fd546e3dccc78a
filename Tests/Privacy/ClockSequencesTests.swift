import Foundation
import Privacy
import Testing

@Suite("Everything that can happen to a clock, in every order")
struct ClockSequencesTests {
    private enum Event: CaseIterable {
        case tenMinutes, muchAhead, muchBehind, littleAhead, littleBehind, right, processRestarts, machineRestarts
    }

    /// Six of them in a row: less than an hour passes with the clock wrong, so that nothing wrong may be confirmed.
    @Test(
        "confirmed time never goes back, never runs ahead of what has passed, and a clock that is right again is all there is"
    )
    func sequences() {
        let events = Event.allCases
        let length = 5
        var count = 1
        for _ in 0..<length { count *= events.count }
        var broken: [String] = []
        for number in 0..<count {
            var rest = number
            var sequence: [Event] = []
            for _ in 0..<length {
                sequence.append(events[rest % events.count])
                rest /= events.count
            }
            if let rule = firstBroken(by: sequence) { broken.append("\(rule): \(sequence)") }
        }
        #expect(broken.isEmpty, "\(broken.count) of \(count), such as \(broken.prefix(3))")
    }

    private func firstBroken(by sequence: [Event]) -> String? {
        var machine = Machine()
        var clock = ClockGuard(stored: nil, at: machine.reading)
        for event in sequence {
            let before = clock.confirmedTime
            apply(event, to: &machine, &clock)
            clock.observe(machine.reading)
            if clock.confirmedTime < before { return "went back" }
            if clock.confirmedTime > machine.truth + ClockGuard.tolerance + 1 { return "ran ahead" }
            if clock.hidingTime < machine.wall || clock.hidingTime < clock.confirmedTime { return "hid too late" }
        }
        let wasHidden = clock.confirmedTime
        machine.error = 0
        machine.pass(ClockGuard.tolerance * 2)
        clock.observe(machine.reading)
        if clock.condition == .steady, clock.hidingTime > machine.truth + ClockGuard.tolerance {
            return "hides for no reason"
        }
        // Only time that the machine was off, and nobody knows of, is left to be confirmed.
        if clock.condition == .behind { return "is behind what is right" }
        if clock.confirmedTime < wasHidden { return "went back at the end" }
        return nil
    }

    private func apply(_ event: Event, to machine: inout Machine, _ clock: inout ClockGuard) {
        switch event {
        case .tenMinutes: machine.pass(600)
        case .muchAhead: machine.error = 70 * 86_400
        case .muchBehind: machine.error = -70 * 86_400
        case .littleAhead: machine.error = 250
        case .littleBehind: machine.error = -250
        case .right: machine.error = 0
        case .processRestarts:
            machine.pass(1)
            clock = ClockGuard(stored: clock.mark, at: machine.reading)
        case .machineRestarts:
            machine.restart(off: 3600)
            clock = ClockGuard(stored: clock.mark, at: machine.reading)
        }
    }
}
