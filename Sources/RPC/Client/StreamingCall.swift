internal import NIOCore
internal import Synchronization

/// A call of many messages as its caller holds it, of whichever kind. When it is let go of before its end, the call is
/// cancelled.
///
/// It may take more than one attempt: a call that the server can't have seen is made again, with what was said so far.
final class StreamingCall: Sendable {
    /// One try at the call.
    struct Attempt: Sendable {
        let stream: ClientStream
        let queue: ResponseQueue

        func cancel() {
            stream.connection.cancel(stream)
        }
    }

    struct State {
        var attempt: Attempt
        var requests: RequestLog
        var rules: RepeatRules
        /// Names the wait for the connection of the next attempt, while there is one.
        var repeating: WaitKey?
        /// Who waits for the next attempt, besides the task that makes it.
        var waiters: [UnsafeContinuation<Void, Never>] = []
        /// How the call failed for good.
        var failure: CallFailure?
        var isCancelled = false
        var isOver = false
        /// Interceptors whose `end` is still to be called.
        var begun: Int
    }

    let channel: RPCChannel
    let method: MethodDescriptor
    let options: CallOptions
    let state: Mutex<State>
    /// Whether requests are compressed from now on.
    let isCompressing: Atomic<Bool>
    /// Whether a response has been read: the call is not repeated from then on.
    private let hasResponded = Atomic(false)

    /// Makes the call: interceptors, a connection, the first attempt.
    static func make(
        _ channel: RPCChannel, _ method: MethodDescriptor, _ requests: RequestLog, _ options: CallOptions
    ) async throws(RPCError) -> StreamingCall {
        var options = options
        let begun = try await channel.begin(method, &options)
        do throws(RPCError) {
            var requests = requests
            if options.compression == .gzip { requests.compress() }
            var rules = RepeatRules()
            let connection = try await channel.firstConnection(method, options, &rules)
            return StreamingCall(channel, connection, method, requests, options, rules, begun: begun)
        } catch {
            channel.end(method, begun: begun, error)
            throw error
        }
    }

    private init(
        _ channel: RPCChannel, _ connection: ClientConnection, _ method: MethodDescriptor, _ requests: RequestLog,
        _ options: CallOptions, _ rules: RepeatRules, begun: Int
    ) {
        self.channel = channel
        self.method = method
        self.options = options
        isCompressing = Atomic(options.compression == .gzip)
        let attempt = StreamingCall.attempt(on: connection, method, requests, options, rules)
        state = Mutex(State(attempt: attempt, requests: requests, rules: rules, begun: begun))
        connection.start(attempt.stream, .many(attempt.queue))
    }

    deinit {
        cancel()
        end(RPCError(.cancelled, "the responses were no longer wanted"))
    }

    static func attempt(
        on connection: ClientConnection, _ method: MethodDescriptor, _ requests: RequestLog, _ options: CallOptions,
        _ rules: RepeatRules
    ) -> Attempt {
        let stream = ClientStream(connection: connection, method: method, options: options, requests: requests)
        if rules.attempts > 1 { stream.previousAttempts = rules.attempts - 1 }
        return Attempt(stream: stream, queue: ResponseQueue(window: connection.limits.streamWindow))
    }

    /// Ends the call, which then fails with CANCELLED. From any thread, any number of times.
    func cancel() {
        let (attempt, key) = state.withLock { state -> (Attempt?, WaitKey?) in
            guard !state.isOver else { return (nil, nil) }
            state.isCancelled = true
            return (state.attempt, state.repeating)
        }
        if let key { channel.callOff(key) }
        attempt?.cancel()
    }

    /// The outcome is known; interceptors are told once.
    func end(_ outcome: RPCError?) {
        let begun = state.withLock { state in
            state.isOver = true
            state.requests.drop()
            defer { state.begun = 0 }
            return state.begun
        }
        channel.end(method, begun: begun, outcome)
    }
}

// MARK: - Responses

extension StreamingCall {
    /// The next response's bytes, inflated; nil at the end.
    func nextMessage() async throws(RPCError) -> ByteBuffer? {
        switch await next() {
        case .message(let message):
            guard message.isCompressed else { return message.bytes }
            do throws(RPCError) {
                return try message.decoded(limit: options.responseLimit(method, channel.limits), noun: "response")
            } catch {
                cancel()
                throw error
            }
        case .end: return nil
        case .failure(let failure): throw failure.error
        }
    }

    private func next() async -> ResponseQueue.Item {
        while true {
            let attempt = state.withLock { $0.attempt }
            let item = await StreamingCall.take(attempt)
            switch item {
            case .message:
                if !hasResponded.load(ordering: .relaxed) { responded() }
                return item
            case .end:
                channel.retrying?.succeeded()
                end(nil)
                return item
            case .failure(let failure):
                // A second reader is told so; the call goes on.
                guard let ended = attempt.queue.ended, case .failure = ended else { return item }
                if let failure = await replace(attempt, failure) { return .failure(failure) }
            }
        }
    }

    private func responded() {
        hasResponded.store(true, ordering: .relaxed)
        state.withLock { $0.requests.drop() }
    }

    private static func take(_ attempt: Attempt) async -> ResponseQueue.Item {
        if let (item, opened) = attempt.queue.take() {
            open(attempt.stream, opened)
            return item
        }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { open(attempt.stream, attempt.queue.wait($0)) }
        } onCancel: {
            attempt.cancel()
        }
    }

    private static func open(_ stream: ClientStream, _ count: Int) {
        guard count > 0 else { return }
        stream.connection.executor.perform { stream.opened(count) }
    }
}
