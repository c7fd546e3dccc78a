internal import NIOCore

/// Sending the requests of a call that has many.
extension ClientStream: SendingStream {
    /// Bytes of requests on their way before a sender waits for the server to take them.
    private static let requestBuffer = 64 * 1024

    var executor: LoopExecutor { connection.executor }
    var outboundLimit: Int { ClientStream.requestBuffer }
    var isSending: Bool { state.takesRequests }

    func append(_ framed: ByteBuffer) -> Bool {
        guard outboundEnd == nil, state.phase != .done, let session = connection.session else { return false }
        outbound.append(framed)
        // A call that waits for its stream has it sent with the rest once it is opened.
        if state.phase != .waiting {
            session.resume(self)
            connection.needsFlush()
        }
        return true
    }

    /// Bytes of requests were handed to the socket.
    func requestsDrained() {
        guard !waitingSends.isEmpty || state.requests == .closing else { return }
        admitWaitingSends()
        endIfAllSent()
    }

    /// There will be no more requests; those that wait for room go first.
    func finish() {
        guard state.finished() else { return }
        endIfAllSent()
    }

    private func endIfAllSent() {
        guard waitingSends.isEmpty, state.requestsLeft() else { return }
        outboundEnd = .endOfStream
        guard state.phase != .waiting else { return }
        connection.session?.resume(self)
        connection.needsFlush()
    }
}
