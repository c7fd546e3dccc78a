internal import NIOCore

/// A sender that waits for room in a stream's buffer.
final class WaitingSend: @unchecked Sendable {
    // Unchecked: touched on the connection's event loop alone.
    let framed: ByteBuffer
    var continuation: UnsafeContinuation<Bool, Never>?
    var isCancelled = false

    init(_ framed: ByteBuffer) {
        self.framed = framed
    }
}

/// Sending the messages of a stream, at the pace the caller reads them.
extension ServerStream {
    private static let gone = RPCError(.cancelled, "the caller no longer reads the responses")

    /// Sends one message, with its gRPC prefix. Waits while as much as a stream may buffer is on its way already.
    func send(framed: ByteBuffer) async throws(RPCError) {
        if connection.eventLoop.inEventLoop, waitingSends.isEmpty, hasRoom {
            guard append(framed) else { throw ServerStream.gone }
            return
        }
        let send = WaitingSend(framed)
        let wasSent = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                connection.executor.perform { self.enqueue(send, continuation) }
            }
        } onCancel: {
            connection.executor.perform { self.cancel(send) }
        }
        guard wasSent else { throw ServerStream.gone }
    }

    private var hasRoom: Bool { outbound.count < connection.context.configuration.maxBufferedResponseBytes }

    private func enqueue(_ send: WaitingSend, _ continuation: UnsafeContinuation<Bool, Never>) {
        guard !send.isCancelled, state.phase == .running || state.phase == .responding else {
            return continuation.resume(returning: false)
        }
        send.continuation = continuation
        waitingSends.append(send)
        admitWaitingSends()
    }

    private func cancel(_ send: WaitingSend) {
        send.isCancelled = true
        guard let continuation = send.continuation else { return }
        send.continuation = nil
        waitingSends.removeAll { $0 === send }
        continuation.resume(returning: false)
    }

    /// Lets waiting senders go on, as far as there is room.
    func admitWaitingSends() {
        while !waitingSends.isEmpty, hasRoom {
            let send = waitingSends.removeFirst()
            let wasSent = append(send.framed)
            send.continuation?.resume(returning: wasSent)
            send.continuation = nil
        }
    }

    /// Nothing more will be sent: whoever waits is told.
    func refuseWaitingSends() {
        guard !waitingSends.isEmpty else { return }
        for send in waitingSends {
            send.continuation?.resume(returning: false)
            send.continuation = nil
        }
        waitingSends = []
    }

    /// False when there is no one to send to.
    private func append(_ framed: ByteBuffer) -> Bool {
        let sending = state.messageSent()
        guard sending != .refused, let session = connection.session else { return false }
        outbound.append(framed)
        switch sending {
        case .headersAndMessage: session.submitResponse(self)
        case .message: session.resume(self)
        case .refused: break
        }
        connection.needsFlush()
        return true
    }
}
