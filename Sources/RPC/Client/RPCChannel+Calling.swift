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
        var rules = RepeatRules()
        let framed = options.compression == .gzip ? MessageFraming.compressed(framed) : framed
        while true {
            let connection = try await connection(for: options)
            let stream = ClientStream(connection: connection, method: method, options: options, framedRequest: framed)
            let outcome = await withTaskCancellationHandler {
                await withUnsafeContinuation { connection.start(stream, .single($0)) }
            } onCancel: {
                connection.cancel(stream)
            }
            switch outcome {
            case .response(let message):
                guard message.isCompressed else { return message.bytes }
                return try message.decoded(limit: options.responseLimit(method, limits), noun: "response")
            case .failure(let error, let repeating):
                guard
                    rules.mayRepeat(
                        repeating, idempotent: method.idempotent, waitsForReady: options.waitForReady)
                else { throw error }
            }
        }
    }
}
