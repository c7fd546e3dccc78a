internal import NIOCore
internal import Synchronization

/// A server-streaming call as its reader holds it. When it is let go of before its end, the call is cancelled.
final class StreamingCall: Sendable {
    /// One try at the call. A second follows when the server can't have seen the first.
    private struct Attempt: Sendable {
        let stream: ClientStream
        let queue: ResponseQueue

        func cancel() {
            stream.connection.cancel(stream)
        }
    }

    private let channel: RPCChannel
    private let method: MethodDescriptor
    private let framedRequest: ByteBuffer
    private let options: CallOptions
    private let attempt: Mutex<Attempt>
    private let repeatsLeft = Mutex(1)
    /// Interceptors whose `end` is still to be called.
    private let begun: Mutex<Int>

    init(
        _ channel: RPCChannel, _ method: MethodDescriptor, _ framedRequest: ByteBuffer, _ options: CallOptions,
        begun: Int
    ) async throws(RPCError) {
        self.channel = channel
        self.method = method
        self.framedRequest = framedRequest
        self.options = options
        let connection = try await channel.connection(for: options)
        attempt = Mutex(StreamingCall.start(connection, method, framedRequest, options))
        self.begun = Mutex(begun)
    }

    deinit {
        attempt.withLock { $0 }.cancel()
        end(RPCError(.cancelled, "the responses were no longer wanted"))
    }

    private static func start(
        _ connection: ClientConnection, _ method: MethodDescriptor, _ framedRequest: ByteBuffer, _ options: CallOptions
    ) -> Attempt {
        let stream = ClientStream(
            connection: connection, method: method, metadata: options.metadata, deadline: options.deadline,
            framedRequest: framedRequest)
        let queue = ResponseQueue(window: connection.limits.streamWindow)
        connection.start(stream, .many(queue))
        return Attempt(stream: stream, queue: queue)
    }

    func next() async -> ResponseQueue.Item {
        while true {
            let item = await StreamingCall.take(attempt.withLock { $0 })
            switch item {
            case .message:
                return item
            case .end:
                end(nil)
                return item
            case .failure(let failure):
                guard failure.repeating == .always, repeatsLeft.withLock({ StreamingCall.takeOne(&$0) }) else {
                    end(failure.error)
                    return item
                }
                if let failure = await callAgain() { return failure }
            }
        }
    }

    /// The server has not seen the call: it is made on another connection. Not nil when there is none.
    private func callAgain() async -> ResponseQueue.Item? {
        do throws(RPCError) {
            let connection = try await channel.connection(for: options)
            let next = StreamingCall.start(connection, method, framedRequest, options)
            attempt.withLock { $0 = next }
            return nil
        } catch {
            end(error)
            return .failure(CallFailure(error: error, repeating: .never))
        }
    }

    private static func takeOne(_ left: inout Int) -> Bool {
        left -= 1
        return left >= 0
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

    private func end(_ outcome: RPCError?) {
        let begun = begun.withLock { begun in
            defer { begun = 0 }
            return begun
        }
        channel.end(method, begun: begun, outcome)
    }
}
