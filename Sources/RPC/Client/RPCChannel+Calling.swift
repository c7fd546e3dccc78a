internal import NIOCore

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
        var repeats = 1
        while true {
            let connection = try await connection(for: options)
            let stream = ClientStream(
                connection: connection, method: method, metadata: options.metadata, deadline: options.deadline,
                framedRequest: framed)
            let outcome = await withTaskCancellationHandler {
                await withUnsafeContinuation { connection.start(stream, .single($0)) }
            } onCancel: {
                connection.cancel(stream)
            }
            switch outcome {
            case .response(let response):
                return response
            case .failure(let error, let repeating):
                guard RPCChannel.mayRepeat(method, repeating, options, &repeats) else { throw error }
            }
        }
    }

    private static func mayRepeat(
        _ method: MethodDescriptor, _ repeating: CallOutcome.Repeating, _ options: CallOptions, _ left: inout Int
    ) -> Bool {
        switch repeating {
        case .never: return false
        case .ifIdempotent where !method.idempotent: return false
        // The server never saw it: a call that waits for the server goes on waiting.
        case .always where options.waitForReady: return true
        case .ifIdempotent, .always:
            left -= 1
            return left >= 0
        }
    }
}
