internal import Synchronization

/// What follows an attempt that failed.
extension StreamingCall {
    private enum Claim {
        /// There is a new attempt already.
        case replaced
        case refused(CallFailure)
        /// This task is to make the next attempt.
        case make(RPCChannel.WaitKey)
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
            case .make(let key):
                await callAgain(key)
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
            guard !state.isCancelled, state.requests.isWhole,
                state.rules.mayRepeat(
                    failure.repeating, idempotent: method.idempotent, waitsForReady: options.waitForReady)
            else {
                state.failure = failure
                return .refused(failure)
            }
            let key = RPCChannel.WaitKey()
            state.repeating = key
            return .make(key)
        }
    }

    private func callAgain(_ key: RPCChannel.WaitKey) async {
        let result: Result<ClientConnection, RPCError>
        do throws(RPCError) {
            result = .success(try await channel.connection(for: options, key))
        } catch {
            result = .failure(error)
        }
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
            let attempt = attempt(on: connection, method, state.requests, options)
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
