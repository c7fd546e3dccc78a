import Synchronization

/// Where handlers wait until the input lets them go on.
final class FuzzGate: Sendable {
    private struct State {
        var waiters: [Int: UnsafeContinuation<Bool, Never>] = [:]
        var next = 0
        var isOpen = false
    }

    private let state = Mutex(State())

    /// - Throws: `CancellationError` when the task is cancelled.
    func wait() async throws {
        let id = newID()
        let wasOpened = await withTaskCancellationHandler {
            await withUnsafeContinuation { enter(id, $0) }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
        }
        guard wasOpened else { throw CancellationError() }
    }

    /// Waits on although the task is cancelled, as a handler may that doesn't look.
    func waitStubbornly() async {
        let id = newID()
        _ = await withUnsafeContinuation { enter(id, $0, isStubborn: true) }
    }

    /// Lets the one go on that has waited longest.
    func openForOne() {
        let first = state.withLock { state -> UnsafeContinuation<Bool, Never>? in
            guard let id = state.waiters.keys.min() else { return nil }
            return state.waiters.removeValue(forKey: id)
        }
        first?.resume(returning: true)
    }

    /// Lets everyone go on, also those still to come.
    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters.sorted { $0.key < $1.key }.map(\.value)
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }

    private func newID() -> Int {
        state.withLock { state in
            state.next += 1
            return state.next
        }
    }

    private func enter(_ id: Int, _ continuation: UnsafeContinuation<Bool, Never>, isStubborn: Bool = false) {
        let outcome = state.withLock { state -> Bool? in
            if state.isOpen { return true }
            // Everything here happens on one thread: a task that is cancelled was so before it came here.
            if Task.isCancelled, !isStubborn { return false }
            state.waiters[id] = continuation
            return nil
        }
        if let outcome { continuation.resume(returning: outcome) }
    }
}
