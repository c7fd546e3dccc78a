internal import ChatCore
internal import Contracts
internal import RPC
internal import ServiceKit
internal import Synchronization

/// One stream of a session's feed, from the hub's side and from the stream's.
final class Watcher: Sendable {
    struct Change: Sendable {
        let sequence: Int64
        let message: EncodedMessage<ChatV1.SessionEvent>
    }

    private struct State: Sendable {
        var queue: WatcherQueue<Change>
        /// The stream, while it waits for the queue to be no longer empty. At most one waits.
        var reader: CheckedContinuation<Void, Never>?
        /// Whoever waits for the end, to cut a stream that is stuck in sending. At most one waits.
        var guardian: CheckedContinuation<Void, Never>?
    }

    /// Where one that waits is kept.
    private typealias Waiting = any WritableKeyPath<State, CheckedContinuation<Void, Never>?> & Sendable

    let number: UInt64
    let sessionID: String
    let audience: Audience
    let place: Places.Place
    private let state: Mutex<State>

    init(number: UInt64, sessionID: String, audience: Audience, place: Places.Place, capacity: Int) {
        self.number = number
        self.sessionID = sessionID
        self.audience = audience
        self.place = place
        state = Mutex(State(queue: WatcherQueue(capacity: capacity)))
    }

    /// Too much for the queue ends the stream.
    func offer(_ change: Change) {
        let isOver = state.withLock { state in
            state.queue.offer(change)
            return state.queue.ending != nil
        }
        wake(\.reader)?.resume()
        if isOver { wake(\.guardian)?.resume() }
    }

    /// Ends the stream; what waits is dropped.
    func end(_ reason: ChatError) {
        state.withLock { $0.queue.end(reason) }
        wake(\.reader)?.resume()
        wake(\.guardian)?.resume()
    }

    /// Waits until there are changes, and takes all of them.
    /// - Throws: ``ChatError``: why there will be no more; `resume` when the task is cancelled.
    func next() async throws(ChatError) -> [Change] {
        while true {
            let changes = try state.withLock { state throws(ChatError) in try state.queue.takeAll() }
            if !changes.isEmpty { return changes }
            if Task.isCancelled { throw .resume }
            await wait(in: \.reader) { $0.queue.isEmpty && $0.queue.ending == nil }
        }
    }

    /// Waits until the stream is to end, whatever its own task is waiting for.
    /// - Returns: Why; nil when the task is cancelled before.
    func ended() async -> ChatError? {
        while true {
            if let ending = state.withLock({ $0.queue.ending }) { return ending }
            if Task.isCancelled { return nil }
            await wait(in: \.guardian) { $0.queue.ending == nil }
        }
    }

    /// Suspends until something happens, unless it has happened before.
    private func wait(in place: Waiting, while isWaiting: (State) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    // The cancellation handler may have run before there was anyone to wake.
                    guard isWaiting(state), !Task.isCancelled else { return false }
                    state[keyPath: place] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            wake(place)?.resume()
        }
    }

    private func wake(_ place: Waiting) -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            defer { state[keyPath: place] = nil }
            return state[keyPath: place]
        }
    }
}
