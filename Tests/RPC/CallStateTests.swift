import Testing

@testable import RPC

@Suite("The states of a call")
struct CallStateTests {
    private enum Event: CaseIterable {
        case requestCompleted, handlerBegan, messageSent, handlerEnded, failed, streamClosed
    }

    /// A call brought to a phase the regular way.
    private func call(in phase: CallState.Phase) -> CallState {
        var state = CallState()
        if phase == .receiving { return state }
        _ = state.requestCompleted()
        if phase == .ready { return state }
        _ = state.handlerBegan()
        if phase == .running { return state }
        _ = state.messageSent()
        if phase == .responding { return state }
        _ = state.handlerEnded()
        if phase == .answered { return state }
        _ = state.streamClosed()
        return state
    }

    @Test("every event in every phase does what is written, and nothing else", arguments: CallState.Phase.allCases)
    func goesWhereItShould(phase: CallState.Phase) {
        for event in Event.allCases {
            var state = call(in: phase)
            #expect(state.phase == phase)
            switch event {
            case .requestCompleted:
                #expect(state.requestCompleted() == (phase == .receiving))
                #expect(state.phase == (phase == .receiving ? .ready : phase))
            case .handlerBegan:
                #expect(state.handlerBegan() == (phase == .ready))
                #expect(state.phase == (phase == .ready ? .running : phase))
            case .messageSent:
                let expected: [CallState.Phase: CallState.Sending] = [
                    .running: .headersAndMessage, .responding: .message,
                ]
                #expect(state.messageSent() == expected[phase] ?? .refused)
                #expect(state.phase == (phase == .running ? .responding : phase))
            case .handlerEnded, .failed:
                let ending = event == .failed ? state.failed() : state.handlerEnded()
                switch phase {
                case .receiving, .ready, .running: #expect(ending == .whole)
                case .responding: #expect(ending == .trailers)
                case .answered, .closed: #expect(ending == .nothing)
                }
                #expect(state.phase == (phase == .closed ? .closed : .answered))
                let stillRuns = event == .failed && (phase == .running || phase == .responding)
                #expect(state.isHandlerRunning == stillRuns)
            case .streamClosed:
                #expect(state.streamClosed() == (phase == .running || phase == .responding))
                #expect(state.phase == .closed)
            }
        }
    }

    @Test("a handler that outlives its call is cancelled once, and its answer dropped")
    func dropsLateAnswers() {
        var state = call(in: .running)
        #expect(state.failed() == .whole)
        #expect(state.failed() == .nothing)
        #expect(state.streamClosed() == false)
        #expect(state.isHandlerRunning)
        #expect(state.messageSent() == .refused)
        #expect(state.handlerEnded() == .nothing)
        #expect(!state.isHandlerRunning)
        #expect(state.phase == .closed)
    }

    /// The phases of a call whose requests are a stream.
    private static let streamedPhases = CallState.Phase.allCases.filter { $0 != .receiving }

    private func streamedCall(in phase: CallState.Phase) -> CallState {
        var state = CallState()
        _ = state.requestStreamBegan()
        if phase == .ready { return state }
        _ = state.handlerBegan()
        if phase == .running { return state }
        _ = state.messageSent()
        if phase == .responding { return state }
        _ = state.handlerEnded()
        if phase == .answered { return state }
        _ = state.streamClosed()
        return state
    }

    @Test("a stream of requests begins once, and before its handler", arguments: CallState.Phase.allCases)
    func beginsRequestStreams(phase: CallState.Phase) {
        var state = call(in: phase)
        #expect(state.requestStreamBegan() == (phase == .receiving))
        #expect(state.requests == (phase == .receiving ? .stream : .single))
        #expect(state.phase == (phase == .receiving ? .ready : phase))
        #expect(state.requestStreamBegan() == false)
    }

    @Test("requests are taken while their handler may want them, and until they end", arguments: streamedPhases)
    func takesRequests(phase: CallState.Phase) {
        var state = streamedCall(in: phase)
        #expect(state.phase == phase)
        let takes = phase == .ready || phase == .running || phase == .responding
        #expect(state.takesRequests == takes)
        #expect(state.isAnsweredEarly == (phase == .answered))
        #expect(state.requestsEnded() == takes)
        #expect(state.phase == phase)
        #expect(state.requests == .ended)
        #expect(!state.takesRequests)
        #expect(!state.isAnsweredEarly)
        #expect(state.requestsEnded() == false)
        #expect(state.requestStreamBegan() == false)
    }

    @Test("one request is nobody's to take before it is complete", arguments: CallState.Phase.allCases)
    func keepsSingleRequests(phase: CallState.Phase) {
        var state = call(in: phase)
        #expect(!state.takesRequests)
        #expect(state.requestsEnded() == false)
        #expect(state.phase == phase)
        #expect(state.requests == .ended)
    }

    @Test("a call that failed while it waited for its turn does not run")
    func doesNotRunFailedCalls() {
        var state = call(in: .ready)
        #expect(state.failed() == .whole)
        #expect(state.handlerBegan() == false)
        #expect(state.phase == .answered)
    }
}

@Suite("The states of a client's call")
struct ClientCallStateTests {
    private func call(in phase: ClientCallState.Phase) -> ClientCallState {
        var state = ClientCallState()
        if phase == .waiting { return state }
        _ = state.opened()
        if phase == .open { return state }
        _ = state.responded()
        if phase == .responding { return state }
        _ = state.ended()
        return state
    }

    @Test("every event in every phase does what is written", arguments: ClientCallState.Phase.allCases)
    func goesWhereItShould(phase: ClientCallState.Phase) {
        var opened = call(in: phase)
        #expect(opened.phase == phase)
        #expect(opened.hasResponse == (phase == .responding || phase == .done))
        #expect(opened.opened() == (phase == .waiting))
        #expect(opened.phase == (phase == .waiting ? .open : phase))

        var responded = call(in: phase)
        let isOpen = phase == .open || phase == .responding
        #expect(responded.responded() == isOpen)
        #expect(responded.phase == (isOpen ? .responding : phase))

        var ended = call(in: phase)
        #expect(ended.ended() == (phase != .done))
        #expect(ended.phase == .done)

        var abandoned = call(in: phase)
        switch phase {
        case .waiting: #expect(abandoned.abandoned() == .forget)
        case .open, .responding: #expect(abandoned.abandoned() == .reset)
        case .done: #expect(abandoned.abandoned() == .nothing)
        }
        #expect(abandoned.phase == .done)
    }
}
