import NIOCore
import Testing

@testable import RPC

@Suite("Whether a call that failed is made again")
struct RepeatRulesTests {
    private static let unavailable = RPCError(.unavailable, "not reachable")

    private let now = ContinuousClock.now

    private func wait(
        _ rules: inout RepeatRules, _ repeating: CallOutcome.Repeating, idempotent: Bool = false, waits: Bool = false,
        timeout: Duration? = nil
    ) -> Duration? {
        let call = RepeatRules.Call(
            isIdempotent: idempotent, waitsForReady: waits, deadline: timeout.map { now.advanced(by: $0) })
        let failure = CallFailure(error: Self.unavailable, repeating: repeating)
        return rules.wait(after: failure, call, nil, at: now, chance: 0.5)
    }

    @Test("a call that was refused, or lost with its connection, is repeated once, whoever waits for the server")
    func repeatsOnce() {
        for repeating in [CallOutcome.Repeating.refused, .ifIdempotent] {
            for waits in [false, true] {
                var rules = RepeatRules()
                #expect(wait(&rules, repeating, idempotent: true, waits: waits) == .zero)
                #expect(wait(&rules, repeating, idempotent: true, waits: waits) == nil)
            }
        }
        var rules = RepeatRules()
        #expect(wait(&rules, .ifIdempotent, waits: true) == nil)
        #expect(wait(&rules, .refused, waits: true) == .zero)
        var unsent = RepeatRules()
        #expect(wait(&unsent, .unsent) == .zero)
        #expect(wait(&unsent, .unsent) == nil)
    }

    @Test("one that was never sent goes on waiting, at once and then less and less often")
    func waitsForConnections() {
        var rules = RepeatRules()
        let waits = (0..<8).map { _ in wait(&rules, .unsent, waits: true) }
        #expect(
            waits == [
                .zero, .milliseconds(50), .milliseconds(100), .milliseconds(200), .milliseconds(400),
                .milliseconds(800), .seconds(1), .seconds(1),
            ])
    }

    @Test("and not beyond its deadline")
    func waitsUntilDeadline() {
        var rules = RepeatRules()
        #expect(wait(&rules, .unsent, waits: true, timeout: .milliseconds(60)) == .zero)
        #expect(wait(&rules, .unsent, waits: true, timeout: .milliseconds(60)) == .milliseconds(50))
        #expect(wait(&rules, .unsent, waits: true, timeout: .milliseconds(60)) == .milliseconds(60))
        #expect(wait(&rules, .unsent, waits: true, timeout: .milliseconds(-5)) == .zero)
    }

    @Test("one that waits for a while only goes on waiting until that is over, however often it has to")
    func waitsForAWhile() {
        var rules = RepeatRules()
        let end = rules.waitingEnds(after: .milliseconds(200), at: now)
        #expect(end == now.advanced(by: .milliseconds(200)))
        #expect(rules.waitingEnds(after: .milliseconds(200), at: now.advanced(by: .seconds(1))) == end)
        func wait(after time: Duration) -> Duration? {
            let call = RepeatRules.Call(isIdempotent: false, waitsForReady: false, patienceEnd: end, deadline: nil)
            let failure = CallFailure(error: Self.unavailable, repeating: .unsent)
            return rules.wait(after: failure, call, nil, at: now.advanced(by: time), chance: 0.5)
        }
        #expect(wait(after: .zero) == .zero)
        #expect(wait(after: .zero) == .milliseconds(50))
        #expect(wait(after: .milliseconds(170)) == .milliseconds(30))
        #expect(wait(after: .milliseconds(200)) == nil)
    }

    @Test("no server has a call wait for longer than the policy lets it")
    func boundsPushback() {
        var policy = RetryPolicy()
        policy.maxPushback = .seconds(2)
        let call = RepeatRules.Call(isIdempotent: true, waitsForReady: false, deadline: nil)
        for asked in [Duration.seconds(2), .milliseconds(2001), .seconds(315_576_000_000)] {
            var later = Self.unavailable
            later.retryAfter = asked
            for failure in [
                CallFailure(error: later, repeating: .byPolicy),
                CallFailure(error: Self.unavailable, repeating: .byPolicy, pushback: .after(asked)),
            ] {
                var rules = RepeatRules()
                let wait = rules.wait(after: failure, call, Retrying(policy), at: now, chance: 0.5)
                #expect(wait == (asked == .seconds(2) ? asked : nil))
            }
        }
        policy.initialBackoff = .seconds(5)
        policy.maxBackoff = .seconds(5)
        var rules = RepeatRules()
        let failure = CallFailure(error: Self.unavailable, repeating: .byPolicy)
        #expect(rules.wait(after: failure, call, Retrying(policy), at: now, chance: 0.5) == .seconds(5))
    }
}
