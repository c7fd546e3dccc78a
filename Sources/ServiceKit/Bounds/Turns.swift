internal import RPC
internal import Synchronization

/// Lets so many do something at a time. When more want to, they take turns as ``TurnLine`` says, so that whoever wants much
/// waits behind themselves and not in front of others.
///
/// How many may wait is not bounded here: whoever waits holds a place of ``Places``.
public final class Turns: Sendable {
    private enum Outcome {
        case turn, cancelled, late
    }

    private struct State {
        var free: Int
        var line = TurnLine()
        var waiters: [UInt64: CheckedContinuation<Outcome, Never>] = [:]
        var nextTicket: UInt64 = 0
    }

    private let state: Mutex<State>

    /// - Parameter width: how many at a time.
    public init(width: Int) {
        state = Mutex(State(free: max(width, 1)))
    }

    /// How many wait now.
    public var waiting: Int { state.withLock { $0.waiters.count } }

    /// Waits for a turn, does what there is to do, and lets the next one have theirs.
    /// - Parameters:
    ///   - path: on whose account: as many keys for everybody.
    ///   - deadline: how long to wait at most; nil: until the task is cancelled.
    /// - Throws: `CancellationError` when the task is cancelled while it waits, DEADLINE_EXCEEDED when the deadline passes;
    ///   what the body throws.
    public func take<Value>(
        _ path: [String], until deadline: ContinuousClock.Instant? = nil, _ body: () async throws -> Value
    ) async throws -> Value {
        if !hasFree() { try await wait(path, until: deadline) }
        defer { end() }
        return try await body()
    }

    /// Whether there is one at once. While anybody waits there is none.
    private func hasFree() -> Bool {
        state.withLock { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
    }

    private func wait(_ path: [String], until deadline: ContinuousClock.Instant?) async throws {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let timer = deadline.map { deadline in
            Task {
                try await Task.sleep(until: deadline, clock: .continuous)
                leave(path, ticket, .late)
            }
        }
        defer { timer?.cancel() }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                join(path, ticket, continuation)
                // Either may have come before there was anybody to take out of the line.
                if Task.isCancelled { leave(path, ticket, .cancelled) }
                if let deadline, deadline <= .now { leave(path, ticket, .late) }
            }
        } onCancel: {
            leave(path, ticket, .cancelled)
        }
        switch outcome {
        case .turn: return
        case .cancelled: throw CancellationError()
        case .late: throw RPCError(.deadlineExceeded, "the call's turn did not come in time", reason: "TURN_TIMEOUT")
        }
    }

    private func join(_ path: [String], _ ticket: UInt64, _ continuation: CheckedContinuation<Outcome, Never>) {
        let isFree = state.withLock { state in
            // One may have become free meanwhile; then nobody waits.
            if state.free > 0 {
                state.free -= 1
                return true
            }
            state.waiters[ticket] = continuation
            state.line.append(ticket, at: path[...])
            return false
        }
        if isFree { continuation.resume(returning: .turn) }
    }

    /// Does nothing for one who has had their turn.
    private func leave(_ path: [String], _ ticket: UInt64, _ outcome: Outcome) {
        let waiter = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            guard let waiter = state.waiters.removeValue(forKey: ticket) else { return nil }
            state.line.remove(ticket, at: path[...])
            return waiter
        }
        waiter?.resume(returning: outcome)
    }

    private func end() {
        let next = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            guard let ticket = state.line.next() else {
                state.free += 1
                return nil
            }
            return state.waiters.removeValue(forKey: ticket)
        }
        next?.resume(returning: .turn)
    }
}
