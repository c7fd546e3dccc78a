internal import Synchronization

/// Lets so many read from the store at a time. When more want to, organisations take turns, so that one that reads much
/// waits behind itself and not in front of others. Within an organisation the first to come is first.
final class ReadTurns: Sendable {
    private struct Waiter {
        let ticket: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        /// Who waits, by organisation; none of them is empty.
        var lines: [String: [Waiter]] = [:]
        /// The organisations of `lines`, in the order of their turns.
        var order: [String] = []
        var nextTicket: UInt64 = 0
    }

    private let state: Mutex<State>

    /// - Parameter width: as many as the store reads with at a time.
    init(width: Int) {
        state = Mutex(State(free: max(width, 1)))
    }

    /// - Throws: `CancellationError` when the task is cancelled while it waits; what the body throws.
    func take<Value>(_ organisation: String, _ body: () async throws -> Value) async throws -> Value {
        try await begin(organisation)
        defer { end() }
        return try await body()
    }

    /// How many wait now.
    var waiting: Int { state.withLock { state in state.lines.values.reduce(0) { $0 + $1.count } } }

    private func begin(_ organisation: String) async throws {
        let ticket = state.withLock { state -> UInt64? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            state.nextTicket += 1
            return state.nextTicket
        }
        guard let ticket else { return }
        let hasTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(organisation, Waiter(ticket: ticket, continuation: continuation))
                // The handler may have run before there was anybody to take out of the line.
                if Task.isCancelled { leave(organisation, ticket) }
            }
        } onCancel: {
            leave(organisation, ticket)
        }
        guard hasTurn else { throw CancellationError() }
    }

    private func wait(_ organisation: String, _ waiter: Waiter) {
        let isFree = state.withLock { state in
            // One may have become free meanwhile; then nobody waits.
            if state.free > 0 {
                state.free -= 1
                return true
            }
            if state.lines[organisation] == nil { state.order.append(organisation) }
            state.lines[organisation, default: []].append(waiter)
            return false
        }
        if isFree { waiter.continuation.resume(returning: true) }
    }

    private func leave(_ organisation: String, _ ticket: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.lines[organisation]?.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            let waiter = state.lines[organisation]?.remove(at: index)
            if state.lines[organisation]?.isEmpty == true {
                state.lines[organisation] = nil
                state.order.removeAll { $0 == organisation }
            }
            return waiter
        }
        waiter?.continuation.resume(returning: false)
    }

    private func end() {
        let next = state.withLock { state -> Waiter? in
            guard let organisation = state.order.first, var line = state.lines[organisation] else {
                state.free += 1
                return nil
            }
            state.order.removeFirst()
            let waiter = line.removeFirst()
            if line.isEmpty {
                state.lines[organisation] = nil
            } else {
                state.lines[organisation] = line
                state.order.append(organisation)
            }
            return waiter
        }
        next?.continuation.resume(returning: true)
    }
}
