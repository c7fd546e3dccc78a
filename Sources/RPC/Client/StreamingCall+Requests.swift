internal import NIOCore
internal import Synchronization

/// Sending requests.
extension StreamingCall {
    private static let finished = RPCError(
        .internal, "the last request was sent already", reason: "REQUESTS_FINISHED")
    private static let answered = RPCError(
        .internal, "the server has answered and reads no more requests", reason: "CALL_ANSWERED")

    /// Sends one message, with its prefix, once there is room for it. Throws how the call ended when it has.
    func send(_ framed: ByteBuffer) async throws(RPCError) {
        let framed = isCompressing.load(ordering: .relaxed) ? MessageFraming.compressed(framed) : framed
        let attempt = try begin(framed).get()
        if await attempt.stream.send(framed: framed) { return }
        if Task.isCancelled {
            cancel()
            throw RPCError(.cancelled, "the call was cancelled")
        }
        guard let ended = attempt.queue.ended else { throw StreamingCall.finished }
        guard case .failure(let failure) = ended else { throw StreamingCall.answered }
        // If there is another attempt, it was given all that had been said, and this message with it.
        if let failure = await replace(attempt, failure) { throw failure.error }
    }

    /// The attempt to send a message on, which is in the log from now on.
    private func begin(_ framed: ByteBuffer) -> Result<Attempt, RPCError> {
        state.withLock { state in
            if let failure = state.failure { return .failure(failure.error) }
            if state.requests.isFinished { return .failure(StreamingCall.finished) }
            state.requests.append(framed)
            return .success(state.attempt)
        }
    }

    /// Whether requests sent from now on are compressed, in a call that has said it may.
    func setCompression(_ on: Bool) {
        if options.compression == .gzip { isCompressing.store(on, ordering: .relaxed) }
    }

    /// There will be no more requests.
    func finish() {
        let attempt = state.withLock { $0.requests.finish() ? $0.attempt : nil }
        guard let stream = attempt?.stream else { return }
        stream.executor.perform { stream.finish() }
    }
}
