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

/// A stream that sends many messages, at the pace the other side reads them: responses of a server's call, requests of
/// a client's.
///
/// Everything but ``send(framed:)`` belongs to the connection's event loop.
protocol SendingStream: HTTP2Stream, Sendable {
    var executor: LoopExecutor { get }
    /// Bytes buffered before a sender has to wait.
    var outboundLimit: Int { get }
    /// Senders that wait for room, in order.
    var waitingSends: [WaitingSend] { get set }
    /// Whether anyone is there to send to.
    var isSending: Bool { get }
    /// Hands one message to HTTP/2; false when there is no one to send to.
    func append(_ framed: ByteBuffer) -> Bool
}

extension SendingStream {
    /// Sends one message, with its gRPC prefix, from any task. Waits while as much as a stream may buffer is on its way
    /// already. False when there is no one to send to, or the task that sends is cancelled.
    func send(framed: ByteBuffer) async -> Bool {
        if executor.eventLoop.inEventLoop, waitingSends.isEmpty, hasRoom { return append(framed) }
        let send = WaitingSend(framed)
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                executor.perform { self.enqueue(send, continuation) }
            }
        } onCancel: {
            executor.perform { self.cancel(send) }
        }
    }

    private var hasRoom: Bool { outbound.count < outboundLimit }

    private func enqueue(_ send: WaitingSend, _ continuation: UnsafeContinuation<Bool, Never>) {
        guard !send.isCancelled, isSending else { return continuation.resume(returning: false) }
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
        let refused = waitingSends
        waitingSends = []
        for send in refused {
            send.continuation?.resume(returning: false)
            send.continuation = nil
        }
    }
}
