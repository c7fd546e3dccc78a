internal import NIOCore

/// Sending the responses of a stream.
extension ServerStream: SendingStream {
    private static let gone = RPCError(.cancelled, "the caller no longer reads the responses")

    var executor: LoopExecutor { connection.executor }
    var outboundLimit: Int { connection.outboundLimit(buffered: outbound.count) }
    var isSending: Bool { state.phase == .running || state.phase == .responding }

    /// As ``SendingStream/send(framed:)``, for handlers.
    func sendResponse(framed: ByteBuffer) async throws(RPCError) {
        guard await send(framed: framed) else { throw ServerStream.gone }
    }

    func append(_ framed: ByteBuffer) -> Bool {
        guard admitsHeaders() else { return false }
        let sending = state.messageSent()
        guard sending != .refused, let session = connection.session else { return false }
        outbound.append(framed)
        connection.responseBytes += framed.readableBytes
        switch sending {
        case .headersAndMessage: submitStreamHeaders(session)
        case .message: session.resume(self)
        case .refused: break
        }
        connection.needsFlush()
        return true
    }

    /// Sends the headers before there is a message, unless they were sent. From any task.
    func sendHeaders() async throws(RPCError) {
        let wereSent: Bool
        if executor.eventLoop.inEventLoop {
            wereSent = sendHeadersNow()
        } else {
            wereSent = await withUnsafeContinuation { continuation in
                executor.perform { continuation.resume(returning: self.sendHeadersNow()) }
            }
        }
        if !wereSent { throw ServerStream.gone }
    }

    private func sendHeadersNow() -> Bool {
        guard admitsHeaders(), let session = connection.session else { return false }
        switch state.messageSent() {
        case .headersAndMessage:
            submitStreamHeaders(session)
            connection.needsFlush()
            return true
        case .message: return true
        case .refused: return false
        }
    }

    private func submitStreamHeaders(_ session: HTTP2Session) {
        call?.compression.headersAreSent()
        submitHeaders(session, call?.responseMetadata?.initial)
    }
}
