internal import NIOCore
internal import Synchronization

/// The messages of one direction of a stream between the event loop, which puts them in, and the task that takes them
/// out.
///
/// It is bounded by HTTP/2's window, which opens only as messages are taken: a reader that stops stops the other side.
final class MessageQueue<Failure: Sendable>: Sendable {
    /// What a reader is given.
    enum Item: Sendable {
        case message(InboundMessage)
        case end
        case failure(Failure)
    }

    private struct Waiting {
        var message: InboundMessage
        /// Bytes of the window that it holds.
        var held: Int
    }

    private struct State {
        var messages = CircularBuffer<Waiting>()
        var outcome: Item?
        var reader: UnsafeContinuation<Item, Never>?
        /// Which wait the reader is in.
        var ticket = 0
        /// Bytes of messages taken that the window has not been told of.
        var taken = 0
    }

    private let state = Mutex(State())
    private let tickets = Atomic(0)
    /// Bytes taken before it is worth telling the window.
    private let reportSize: Int
    /// What a second reader is told.
    private let busy: Failure

    init(window: Int, busy: Failure) {
        reportSize = window / 4
        self.busy = busy
    }

    var isEmpty: Bool { state.withLock { $0.messages.isEmpty } }

    /// How many messages wait.
    var count: Int { state.withLock { $0.messages.count } }

    /// How the stream ended, though messages from before may still wait; nil as long as it has not.
    var ended: Item? { state.withLock { $0.outcome } }

    /// Adds a message; true when a reader was waiting and has it already.
    func push(_ message: InboundMessage, held: Int) -> Bool {
        let reader = state.withLock { state -> UnsafeContinuation<Item, Never>? in
            defer { state.reader = nil }
            if state.reader == nil { state.messages.append(Waiting(message: message, held: held)) }
            return state.reader
        }
        reader?.resume(returning: .message(message))
        return reader != nil
    }

    /// The stream is over; messages that came before are handed out first.
    func finish(_ outcome: Item) {
        let reader = state.withLock { state -> UnsafeContinuation<Item, Never>? in
            if state.outcome == nil { state.outcome = outcome }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: outcome)
    }

    /// As ``finish(_:)``, and messages that came before are dropped.
    func drop(_ outcome: Item) {
        let reader = state.withLock { state -> UnsafeContinuation<Item, Never>? in
            state.messages = CircularBuffer()
            state.outcome = outcome
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: outcome)
    }

    /// What is there to be taken now, and how many bytes the window may open by; nil when the reader has to wait.
    func take() -> (Item, opened: Int)? {
        state.withLock { state in
            if let waiting = state.messages.popFirst() {
                state.taken += waiting.held
                var opened = 0
                if state.messages.isEmpty || state.taken >= reportSize { swap(&opened, &state.taken) }
                return (.message(waiting.message), opened)
            }
            return state.outcome.map { ($0, 0) }
        }
    }

    /// Names one wait, so that it can be called off.
    func ticket() -> Int {
        tickets.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Calls a wait off: the reader is given `item`, unless it has something already.
    func dismiss(_ ticket: Int, _ item: Item) {
        let reader = state.withLock { state -> UnsafeContinuation<Item, Never>? in
            guard state.ticket == ticket else { return nil }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: item)
    }

    /// Resumes the reader with what comes next, which may be here by now; how many bytes the window may open by.
    func wait(_ reader: UnsafeContinuation<Item, Never>, ticket: Int = 0) -> Int {
        let (item, held) = state.withLock { state -> (Item?, Int) in
            if let waiting = state.messages.popFirst() { return (.message(waiting.message), waiting.held) }
            if let outcome = state.outcome { return (outcome, 0) }
            if state.reader != nil { return (.failure(busy), 0) }
            state.reader = reader
            state.ticket = ticket
            return (nil, 0)
        }
        if let item { reader.resume(returning: item) }
        return held
    }
}
