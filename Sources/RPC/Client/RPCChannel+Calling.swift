internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension RPCChannel {
    /// A unary call: interceptors around one attempt, or two when the first met a connection that was dying.
    func call(_ method: MethodDescriptor, _ framed: ByteBuffer, _ options: CallOptions) async throws(RPCError)
        -> ByteBuffer
    {
        if interceptors.isEmpty { return try await attempt(method, framed, options) }
        var options = options
        let begun = try await begin(method, &options)
        do throws(RPCError) {
            let response = try await attempt(method, framed, options)
            end(method, begun: begun, nil)
            return response
        } catch {
            end(method, begun: begun, error)
            throw error
        }
    }

    /// Runs the interceptors; those that had begun are ended when a later one refuses.
    func begin(_ method: MethodDescriptor, _ options: inout CallOptions) async throws(RPCError) -> Int {
        for (index, interceptor) in interceptors.enumerated() {
            do throws(RPCError) {
                try await interceptor.begin(method, options: &options)
            } catch {
                end(method, begun: index, error)
                throw error
            }
        }
        return interceptors.count
    }

    func end(_ method: MethodDescriptor, begun: Int, _ outcome: RPCError?) {
        for interceptor in interceptors[..<begun].reversed() { interceptor.end(method, outcome: outcome) }
    }

    private func attempt(
        _ method: MethodDescriptor, _ framed: ByteBuffer, _ options: CallOptions
    ) async throws(RPCError) -> ByteBuffer {
        var rules = RepeatRules()
        let framed = options.compression == .gzip ? MessageFraming.compressed(framed) : framed
        while true {
            let outcome: CallOutcome
            do throws(RPCError) {
                let connection = try await connection(for: options, until: waitingEnds(&rules, options))
                let stream = ClientStream(
                    connection: connection, method: method, options: options, framedRequest: framed)
                if rules.attempts > 1 { stream.previousAttempts = rules.attempts - 1 }
                outcome = await withTaskCancellationHandler {
                    await withUnsafeContinuation { connection.start(stream, .single($0)) }
                } onCancel: {
                    connection.cancel(stream)
                }
            } catch {
                outcome = .failure(CallFailure(unconnected: error))
            }
            switch outcome {
            case .response(let message):
                retrying?.succeeded()
                guard message.isCompressed else { return message.bytes }
                return try message.decoded(limit: options.responseLimit(method, limits), noun: "response")
            case .failure(let failure):
                guard let delay = delay(after: failure, method, options, &rules) else { throw failure.error }
                if delay > .zero { try await pause(for: delay) }
            }
        }
    }

    /// How long to wait before the next attempt; nil when there is none.
    func delay(
        after failure: CallFailure, _ method: MethodDescriptor, _ options: CallOptions, _ rules: inout RepeatRules
    ) -> Duration? {
        if isClosed.load(ordering: .relaxed) { return nil }
        let call = RepeatRules.Call(
            isIdempotent: method.idempotent, waitsForReady: options.waitForReady == true,
            patienceEnd: waitingEnds(&rules, options), deadline: options.deadline)
        return rules.wait(after: failure, call, retrying, at: .now, chance: .random(in: 0..<1))
    }

    /// Until when the call waits for a server that is away, where neither it nor its deadline says so.
    func waitingEnds(_ rules: inout RepeatRules, _ options: CallOptions) -> ContinuousClock.Instant? {
        options.waitForReady == nil ? rules.waitingEnds(after: limits.patience, at: .now) : nil
    }

    /// The connection for a streaming call, which a retry policy may have waited for.
    func firstConnection(
        _ method: MethodDescriptor, _ options: CallOptions, _ rules: inout RepeatRules
    ) async throws(RPCError) -> ClientConnection {
        while true {
            do throws(RPCError) {
                return try await connection(for: options, until: waitingEnds(&rules, options))
            } catch {
                guard let delay = delay(after: CallFailure(unconnected: error), method, options, &rules) else {
                    throw error
                }
                if delay > .zero { try await pause(for: delay) }
            }
        }
    }

    private func pause(for delay: Duration) async throws(RPCError) {
        let key = WaitKey()
        await withTaskCancellationHandler {
            await key.pause(for: delay, on: common.group.any())
        } onCancel: {
            key.cancel()
        }
        if key.isCancelled { throw RPCError(.cancelled, "the call was cancelled") }
    }
}
