internal import NIOCore

/// Refusals and the end of the connection, as far as they concern calls.
extension ServerConnection {
    /// Answers with headers alone and, when the request is still on its way, asks the caller to stop sending it.
    func submitTrailersOnly(_ stream: ServerStream, _ trailers: Metadata) {
        answerWithHeaders(stream, StaticHeaders.response, trailers)
    }

    /// Refuses a request by what its headers say.
    func refuse(_ stream: ServerStream, _ refusal: RequestHeaders.Refusal) {
        guard stream.state.failed() != .nothing else { return }
        switch refusal {
        case .status(let error, let extra):
            answerWithHeaders(stream, StaticHeaders.response, error.trailers.appending(extra))
        case .http(let status):
            var headers = Metadata()
            headers.add(":status", String(describing: status))
            answerWithHeaders(stream, nil, headers)
        }
    }

    private func answerWithHeaders(_ stream: ServerStream, _ prefix: StaticHeaders?, _ headers: Metadata) {
        guard let session else { return }
        session.submitHeadersOnly(stream, prefix: prefix, headers)
        // RFC 9113, 8.1: a server that has answered may ask for the rest of the request not to be sent.
        if stream.state.requests != .ended { resetAfterFlush(stream) }
        needsFlush()
    }

    /// Lets go of responses that were complete the last time already, and of which nothing was read since: nobody is
    /// going to read them.
    func resetUnread() {
        for case let stream as ServerStream in Array(streams) where stream.state.phase == .answered {
            let left = stream.outbound.count
            if stream.unread == left {
                // Not even that could be sent the last time: nothing at all is read.
                if stream.isResetHere { return close() }
                session?.reset(stream, .cancel)
                needsFlush()
            }
            stream.unread = left
        }
    }

    /// The server stops: calls that would go on for ever end, those there are and those on their way; others may go on.
    func stop() {
        isStopping = true
        for case let stream as ServerStream in Array(streams) {
            if let status = stream.method?.handler.endAtShutdown { stream.fail(status) }
        }
        beginDrain()
    }

    /// First part of a graceful end: the caller is told, and a moment later held to it.
    func beginDrain() {
        guard let session else { return close() }
        session.submitShutdownNotice()
        needsFlush()
        // Calls that were on their way when the notice was sent are still served; on one machine this is ample.
        eventLoop.scheduleTask(in: .milliseconds(20)) {
            self.session?.submitGoAway()
            self.needsFlush()
        }
    }

    /// Second part, for calls that took too long: they are answered and their handlers cancelled.
    func cancelCalls(
        _ error: RPCError = RPCError(
            .unavailable, "the server is shutting down", reason: "SERVER_SHUTTING_DOWN")
    ) {
        for case let stream as ServerStream in Array(streams) { stream.fail(error) }
    }
}
