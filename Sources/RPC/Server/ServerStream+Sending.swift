internal import NIOCore

/// Sending the responses of a stream.
extension ServerStream: SendingStream {
    private static let gone = RPCError(.cancelled, "the caller no longer reads the responses")

    var executor: LoopExecutor { connection.executor }
    var outboundLimit: Int { connection.context.configuration.maxBufferedResponseBytes }
    var isSending: Bool { state.phase == .running || state.phase == .responding }

    /// As ``SendingStream/send(framed:)``, for handlers.
    func sendResponse(framed: ByteBuffer) async throws(RPCError) {
        guard await send(framed: framed) else { throw ServerStream.gone }
    }

    func append(_ framed: ByteBuffer) -> Bool {
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
