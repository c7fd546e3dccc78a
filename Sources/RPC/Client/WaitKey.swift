internal import NIOCore
internal import Synchronization

/// Names one wait of a call, for a connection or for the time of its next attempt, so that it can be called off, also
/// before it has begun.
final class WaitKey: Sendable {
    private struct State {
        var isCancelled = false
        var isExpired = false
        var pause: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    /// Whether the call has waited for as long as it may.
    var isExpired: Bool { state.withLock { $0.isExpired } }

    /// The wait is no longer wanted. A pause ends at once; who waits for a connection is the channel's to tell.
    func cancel() {
        let pause = state.withLock { state in
            state.isCancelled = true
            defer { state.pause = nil }
            return state.pause
        }
        pause?.resume()
    }

    /// The call has waited for as long as it may. Who waits for a connection is the channel's to tell.
    func expire() {
        state.withLock { $0.isExpired = true }
    }

    /// Waits for that long, or until it is called off.
    func pause(for delay: Duration, on eventLoop: any EventLoop) async {
        let timer = Mutex<Scheduled<Void>?>(nil)
        await withUnsafeContinuation { continuation in
            let isCancelled = state.withLock { state in
                if !state.isCancelled { state.pause = continuation }
                return state.isCancelled
            }
            if isCancelled { return continuation.resume() }
            timer.withLock { $0 = eventLoop.scheduleTask(in: TimeAmount(delay)) { self.pauseOver() } }
        }
        timer.withLock { $0 }?.cancel()
    }

    private func pauseOver() {
        let pause = state.withLock { state in
            defer { state.pause = nil }
            return state.pause
        }
        pause?.resume()
    }
}
