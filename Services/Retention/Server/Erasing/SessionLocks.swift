import Synchronization

/// Lets one task at a time work on a session, so that an erasure which two ask for happens once. Waiters take turns in
/// the order they came; one that is cancelled leaves the queue.
package final class SessionLocks: Sendable {
    private struct Waiter {
        var ticket: UInt64
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        /// A session that is being worked on, and who waits for it.
        var queues: [String: [Waiter]] = [:]
        var nextTicket: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// - Throws: `CancellationError` when cancelled while waiting; what the body throws.
    func withLock<Value: Sendable>(
        _ session: String, _ body: () async throws -> Value
    ) async throws -> Value {
        try await acquire(session)
        defer { release(session) }
        return try await body()
    }

    private func acquire(_ session: String) async throws {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let acquired = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enter(session, Waiter(ticket: ticket, continuation: continuation))
                // The handler may have run before there was anybody to take out of the queue.
                if Task.isCancelled { leave(session, ticket: ticket) }
            }
        } onCancel: {
            leave(session, ticket: ticket)
        }
        guard acquired else { throw CancellationError() }
    }

    private func enter(_ session: String, _ waiter: Waiter) {
        let isFree = state.withLock { state in
            guard state.queues[session] != nil else {
                state.queues[session] = []
                return true
            }
            state.queues[session]?.append(waiter)
            return false
        }
        if isFree { waiter.continuation.resume(returning: true) }
    }

    private func leave(_ session: String, ticket: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.queues[session]?.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.queues[session]?.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }

    private func release(_ session: String) {
        let next = state.withLock { state -> Waiter? in
            guard let queue = state.queues[session], !queue.isEmpty else {
                state.queues[session] = nil
                return nil
            }
            return state.queues[session]?.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }
}
