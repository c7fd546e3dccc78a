internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// What follows an attempt that failed.
extension StreamingCall {
    private enum Claim {
        /// There is a new attempt already.
        case replaced
        case refused(CallFailure)
        /// This task is to make the next attempt.
        case make(WaitKey, after: Duration)
        /// Another task makes it.
        case wait
    }

    /// Makes the call again when that is in order. Nil when there is another attempt, whoever made it; otherwise how
    /// the call failed for good.
    func replace(_ failed: Attempt, _ failure: CallFailure) async -> CallFailure? {
        while true {
            switch claim(failed, failure) {
            case .replaced:
                return nil
            case .refused(let failure):
                end(failure.error)
                return failure
            case .make(let key, let delay):
                await callAgain(key, after: delay)
            case .wait:
                await withTaskCancellationHandler {
                    await withUnsafeContinuation { waitForAttempt($0) }
                } onCancel: {
                    cancel()
                }
            }
        }
    }

    private func claim(_ failed: Attempt, _ failure: CallFailure) -> Claim {
        state.withLock { state in
            if let failure = state.failure { return .refused(failure) }
            guard state.attempt.stream === failed.stream else { return .replaced }
            if state.repeating != nil { return .wait }
            guard state.requests.isWhole, let delay = channel.delay(after: failure, method, options, &state.rules)
            else {
                state.failure = failure
                return .refused(failure)
            }
            if state.isCancelled {
                // There would be another attempt, so what ends the call is that nobody wants it.
                let cancelled = CallFailure(
                    error: RPCError(.cancelled, "the call was cancelled"), repeating: .never)
                state.failure = cancelled
                return .refused(cancelled)
            }
            let key = WaitKey()
            state.repeating = key
            return .make(key, after: delay)
        }
    }

    private func callAgain(_ key: WaitKey, after delay: Duration) async {
        var delay = delay
        while true {
            let result = await connection(key, after: delay)
            // No connection is a failed attempt too.
            if case .failure(let error) = result, let next = delayAfter(error) {
                delay = next
                continue
            }
            return goOn(with: result)
        }
    }

    private func connection(_ key: WaitKey, after delay: Duration) async -> Result<ClientConnection, RPCError> {
        if delay > .zero {
            await withTaskCancellationHandler {
                await key.pause(for: delay, on: channel.common.group.any())
            } onCancel: {
                key.cancel()
            }
        }
        if key.isCancelled { return .failure(RPCError(.cancelled, "the call was cancelled")) }
        do throws(RPCError) {
            let end = state.withLock { channel.waitingEnds(&$0.rules, options) }
            return .success(try await channel.connection(for: options, until: end, key))
        } catch {
            return .failure(error)
        }
    }

    private func delayAfter(_ error: RPCError) -> Duration? {
        state.withLock { channel.delay(after: CallFailure(unconnected: error), method, options, &$0.rules) }
    }

    /// Starts the next attempt, or ends the call, and lets who waits for that go on.
    private func goOn(with result: Result<ClientConnection, RPCError>) {
        let (next, waiters) = state.withLock { state in
            state.repeating = nil
            let next = StreamingCall.next(&state, result, method, options)
            defer { state.waiters = [] }
            return (next, state.waiters)
        }
        if let next { next.stream.connection.start(next.stream, .many(next.queue)) }
        for waiter in waiters { waiter.resume() }
    }

    /// Puts the next attempt in its place, with what was said so far; nil when the call is over instead.
    private static func next(
        _ state: inout State, _ result: Result<ClientConnection, RPCError>, _ method: MethodDescriptor,
        _ options: CallOptions
    ) -> Attempt? {
        do throws(RPCError) {
            let connection = try result.get()
            if state.isCancelled { throw RPCError(.cancelled, "the call was cancelled") }
            let attempt = attempt(on: connection, method, state.requests, options, state.rules)
            state.attempt = attempt
            return attempt
        } catch {
            state.failure = CallFailure(error: error, repeating: .never)
            return nil
        }
    }

    private func waitForAttempt(_ waiter: UnsafeContinuation<Void, Never>) {
        let isWaiting = state.withLock { state in
            if state.repeating != nil { state.waiters.append(waiter) }
            return state.repeating != nil
        }
        if !isWaiting { waiter.resume() }
    }
}
