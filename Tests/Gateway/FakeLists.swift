import Synchronization

/// What lists cost in ``FakeChat``: nothing, a time each with one page after the other, or no end until they are released.
final class FakeLists: Sendable {
    private enum Pace {
        case atOnce, held
        case oneAtATime(Duration)
    }

    private struct State {
        var pace = Pace.atOnce
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// When the page before is done.
        var free: ContinuousClock.Instant = .now
        var answered = 0
        var inFlight = 0
    }

    private let state = Mutex(State())

    var answered: Int { state.withLock { $0.answered } }
    var inFlight: Int { state.withLock { $0.inFlight } }

    func hold() { state.withLock { $0.pace = .held } }

    /// - Parameter time: how long each page takes from now on, one after the other; nil: none.
    func release(oneAtATime time: Duration? = nil) {
        let waiting = state.withLock { state in
            state.pace = time.map { .oneAtATime($0) } ?? .atOnce
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Takes as long as a page does.
    func page() async {
        state.withLock { $0.inFlight += 1 }
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                guard case .held = state.pace else { return false }
                state.waiting.append(continuation)
                return true
            }
            if !isHeld { continuation.resume() }
        }
        let due = state.withLock { state -> ContinuousClock.Instant? in
            guard case .oneAtATime(let time) = state.pace else { return nil }
            state.free = max(state.free, .now) + time
            return state.free
        }
        if let due { try? await Task.sleep(until: due, clock: .continuous) }
        state.withLock { state in
            state.inFlight -= 1
            state.answered += 1
        }
    }
}
