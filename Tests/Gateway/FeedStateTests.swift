import GatewayCore
import Privacy
import Testing

@Suite("the present state of a feed")
struct FeedStateTests {
    private typealias State = FeedState<String>

    private static let epoch = FeedEpoch.random()

    private func question(_ id: String, _ sequence: Int64, size: Int = 1) -> FeedEvent<String> {
        FeedEvent(sequence: sequence, subject: .question(id: id), payload: "\(id)@\(sequence)", size: size)
    }

    private func removal(_ id: String, _ sequence: Int64) -> FeedEvent<String> {
        FeedEvent(
            sequence: sequence, subject: .question(id: id), isRemoval: true, payload: "-\(id)@\(sequence)", size: 1)
    }

    private func session(_ sequence: Int64) -> FeedEvent<String> {
        FeedEvent(sequence: sequence, subject: .session, payload: "session@\(sequence)", size: 1)
    }

    private func state(_ events: [FeedEvent<String>], caughtUpAt sequence: Int64 = 0) -> State {
        var state = State(byteLimit: 1_000)
        _ = state.continues(in: Self.epoch)
        for event in events { #expect(state.apply(event) == .news) }
        state.catchUp(sequence: sequence)
        return state
    }

    /// What somebody has missed who has seen so much of this epoch.
    private func replay(_ state: State, after sequence: Int64) -> [String] {
        let point: ServerSentEvent.ResumePoint =
            sequence == 0 ? .beginning : .after(FeedPosition(epoch: Self.epoch, sequence: sequence))
        let (isReset, missed) = state.replay(after: point)
        return (isReset ? ["reset"] : []) + missed
    }

    @Test("a new follower gets the latest of each subject, in order, and nothing of what was removed")
    func newcomer() {
        let state = state([
            session(1), question("a", 2), question("b", 3), question("a", 4), removal("b", 5), session(6),
        ])
        #expect(replay(state, after: 0) == ["a@4", "session@6"])
    }

    @Test("a follower that resumes gets what changed since, removals too", arguments: 0...7)
    func resuming(after: Int) {
        let state = state([session(1), question("a", 2), question("b", 3), question("a", 4), removal("b", 5)])
        let expected: [String] =
            switch after {
            case 0: ["session@1", "a@4"]
            case 1, 2, 3: ["a@4", "-b@5"]
            case 4: ["-b@5"]
            case 5: []
            default: ["reset", "session@1", "a@4"]  // from the future: everything there is
            }
        #expect(replay(state, after: Int64(after)) == expected)
    }

    @Test("a position of another epoch is worth nothing: everything there is, however far it was")
    func otherEpoch() {
        let state = state([session(1), question("a", 2), removal("b", 3)])
        for sequence in [0, 1, 2, 3, 4, Int64.max] {
            for epoch in [FeedEpoch.random(), .none] {
                let (isReset, missed) = state.replay(after: .after(FeedPosition(epoch: epoch, sequence: sequence)))
                #expect(isReset && missed == ["session@1", "a@2"])
            }
        }
        var other = state
        let (same, another) = (other.continues(in: Self.epoch), other.continues(in: .random()))
        #expect(same && !another)
        #expect(other.lastPosition == FeedPosition(epoch: Self.epoch, sequence: 3))
    }

    @Test("whatever order the beginning comes in, it is told in order")
    func reordered() {
        let state = state([session(9), question("c", 7), question("a", 2), question("b", 5)])
        #expect(replay(state, after: 0) == ["a@2", "b@5", "c@7", "session@9"])
        #expect(replay(state, after: 5) == ["c@7", "session@9"])
    }

    @Test("an event that was seen already changes nothing")
    func repeated() {
        var state = state([question("a", 2), question("b", 3)])
        #expect(state.apply(question("a", 2)) == .known)
        #expect(state.apply(removal("b", 1)) == .known)
        #expect(replay(state, after: 0) == ["a@2", "b@3"])
    }

    @Test("the same sequence number for two subjects keeps both")
    func sharedNumbers() {
        var state = state([question("a", 2), question("b", 2), session(2)])
        #expect(Set(replay(state, after: 1)) == ["a@2", "b@2", "session@2"])
        #expect(state.apply(question("b", 3)) == .news)
        #expect(Set(replay(state, after: 0)) == ["a@2", "session@2", "b@3"])
    }

    @Test("upstream goes on from the last event, but from the beginning until it has caught up")
    func resumePoint() {
        var state = State(byteLimit: 100)
        #expect(state.lastPosition == nil)
        _ = state.continues(in: Self.epoch)
        #expect(state.apply(question("a", 7)) == .news)
        #expect(state.resumePosition == nil)
        #expect(!state.isCaughtUp)
        state.catchUp(sequence: 9)
        #expect(state.resumePosition == FeedPosition(epoch: Self.epoch, sequence: 9))
        #expect(state.lastSequence == 9)
        state.catchUp(sequence: 0)
        #expect(state.resumePosition == FeedPosition(epoch: Self.epoch, sequence: 9))
    }

    @Test("what grows over the bound is refused and leaves the state as it was")
    func bounded() {
        var state = State(byteLimit: 10)
        #expect(state.apply(question("a", 1, size: 6)) == .news)
        #expect(state.apply(question("b", 2, size: 5)) == .full)
        #expect(state.byteCount == 6)
        #expect(replay(state, after: 0) == ["a@1"])
        #expect(state.apply(question("a", 3, size: 10)) == .news)
        #expect(state.byteCount == 10)
        #expect(state.subjectCount == 1)
    }

    @Test("a text that was replaced ten thousand times is held once")
    func churn() {
        var state = State(byteLimit: 1_000)
        _ = state.continues(in: Self.epoch)
        _ = state.apply(session(1))
        for sequence in Int64(2)...10_000 { #expect(state.apply(question("a", sequence)) == .news) }
        #expect(state.byteCount == 2)
        #expect(replay(state, after: 0) == ["session@1", "a@10000"])
        #expect(replay(state, after: 9_999) == ["a@10000"])
    }

    @Test("after any mix of events the state is what a plain dictionary says", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func agreesWithModel(seed: UInt64) {
        var random = seed &* 0x9e37_79b9_7f4a_7c15
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        var state = State(byteLimit: 100_000)
        _ = state.continues(in: Self.epoch)
        var model: [String: FeedEvent<String>] = [:]
        for sequence in Int64(1)...2_000 {
            let id = "q\(next(50))"
            let event = next(5) == 0 ? removal(id, sequence) : question(id, sequence)
            #expect(state.apply(event) == .news)
            model[id] = event
        }
        for after in stride(from: Int64(0), through: 2_000, by: 97) {
            let expected = model.values.filter { $0.sequence > after && (after > 0 || !$0.isRemoval) }
                .sorted { $0.sequence < $1.sequence }.map(\.payload)
            #expect(replay(state, after: after) == expected)
        }
    }
}
