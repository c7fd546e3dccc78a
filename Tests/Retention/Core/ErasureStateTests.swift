import Foundation
import RetentionCore
import Testing

@Suite("The states of an erasure")
struct ErasureStateTests {
    private static let early = Date(timeIntervalSince1970: 1000)
    private static let late = Date(timeIntervalSince1970: 2000)

    private static let states: [ErasureState] = [
        .live,
        .requested(.manual),
        .keyDestroyed(.manual, at: early),
        .contentErased(.manual, keyDestroyedAt: early, at: late),
        .certified,
    ]

    @Test("each state asks for its own step and no other")
    func nextSteps() {
        #expect(Self.states.map(\.nextStep) == [nil, .destroyKey, .eraseContent, .certify, nil])
    }

    @Test("the steps in their order lead from live to certified, and keep what they were told")
    func wholeWay() throws {
        var state = ErasureState.live
        state.request(.automatic)
        #expect(state == .requested(.automatic))
        try state.destroyedKey(at: Self.early)
        #expect(state == .keyDestroyed(.automatic, at: Self.early))
        try state.erasedContent(at: Self.late)
        #expect(state == .contentErased(.automatic, keyDestroyedAt: Self.early, at: Self.late))
        try state.certify()
        #expect(state == .certified)
    }

    @Test("a request begins an erasure only where none has begun", arguments: states, ErasureTrigger.allCases)
    func request(state: ErasureState, trigger: ErasureTrigger) {
        var after = state
        after.request(trigger)
        #expect(after == (state == .live ? .requested(trigger) : state))
    }

    @Test(
        "every step that does not follow from the state is refused and changes nothing", arguments: states,
        ErasureStep.allCases)
    func outOfOrder(state: ErasureState, step: ErasureStep) {
        var after = state
        let take = {
            switch step {
            case .destroyKey: try after.destroyedKey(at: Self.late)
            case .eraseContent: try after.erasedContent(at: Self.late)
            case .certify: try after.certify()
            }
        }
        if state.nextStep == step {
            #expect(throws: Never.self) { try take() }
            #expect(after != state)
        } else {
            #expect(throws: ErasureState.OutOfOrder.self) { try take() }
            #expect(after == state)
        }
    }

    @Test("a count that JSON can't hold exactly is no count")
    func counts() {
        let most: UInt64 = 9_007_199_254_740_991
        #expect(ErasedCounts(reported: most, answers: 0, events: 0)?.questions == Int64(most))
        #expect(ErasedCounts(reported: most + 1, answers: 0, events: 0) == nil)
        #expect(ErasedCounts(reported: 0, answers: .max, events: 0) == nil)
        #expect(ErasedCounts(reported: 0, answers: 0, events: most + 1) == nil)
    }

    @Test("waiting doubles to its ceiling and no further")
    func retryDelay() {
        let retry = RetryDelay(first: .seconds(1), longest: .seconds(300))
        #expect(
            [1, 2, 3, 9, 10, 1_000_000].map(retry.delay(failures:)) == [
                .seconds(1), .seconds(2), .seconds(4), .seconds(256), .seconds(300), .seconds(300),
            ])
        #expect(retry.delay(failures: 0) == .seconds(1))
    }
}
