internal import NIOCore

/// Receiving a stream of requests while the handler runs.
extension ServerStream {
    /// The headers are there: the handler is started when the read has been gone through.
    func beginRequestStream() {
        guard state.requestStreamBegan() else { return }
        inbox = RequestInbox(window: ServerConnection.streamWindow, mayBeCompressed: headers.isGzip)
        connection.ready.append(self)
    }

    /// What a message costs that waits, beside its bytes: short ones would otherwise take many times their length.
    private static let costOfMessage = 128

    func receivedStreamed(_ bytes: UnsafeRawBufferPointer) {
        // What comes after the answer is dropped; the window stays shut until the caller hears that it may stop.
        guard state.takesRequests, let inbox else { return }
        do throws(RPCError) {
            try connection.reserveRequestBytes(bytes.count)
            headers.buffered += bytes.count
            try deframer.append(bytes) { message throws(RPCError) in
                inbox.arrivalDue = nil
                if inbox.queue.push(message, held: message.wireSize) { release(message.wireSize, of: inbox) }
            }
            try countWaiting(inbox)
            awaitPartial(inbox)
        } catch {
            fail(error)
        }
    }

    /// The caller has sent its last request.
    func endRequestStream() {
        guard deframer.partialCount == 0 else { return fail(RPCError(.internal, "request: cut short")) }
        inbox?.queue.finish(.end)
    }

    /// Nobody takes requests any more: those that wait are dropped, and who asks for another is told.
    func dropRequests(_ message: String) {
        guard let inbox else { return }
        self.inbox = nil
        inbox.queue.drop(.failure(RPCError(.cancelled, message)))
    }

    /// The handler has taken messages that came as so many bytes.
    private func taken(_ count: Int) {
        guard let inbox else { return }
        release(count, of: inbox)
        // Never more than before, so there is room.
        try? countWaiting(inbox)
        awaitPartial(inbox)
        connection.needsFlush()
    }

    /// Counts the messages that wait, with the bytes of requests that do.
    private func countWaiting(_ inbox: RequestInbox) throws(RPCError) {
        let cost = inbox.queue.count * ServerStream.costOfMessage
        let change = cost - inbox.counted
        if change > 0 { try connection.reserveRequestBytes(change) } else { connection.releaseRequestBytes(-change) }
        headers.buffered += change
        inbox.counted = cost
    }

    private func release(_ count: Int, of inbox: RequestInbox) {
        connection.releaseRequestBytes(count)
        headers.buffered -= count
        connection.session?.consumeStream(self, inbox.opening(forTaken: count))
    }

    /// A message that has begun to arrive is let in however large it is, and must become complete in time, once nothing
    /// else waits for the handler: until then it is the handler that keeps the caller waiting.
    private func awaitPartial(_ inbox: RequestInbox) {
        let partial = deframer.partialCount
        if partial > 0, inbox.queue.isEmpty {
            let opening = inbox.opening(forPartial: partial)
            if opening > 0 { connection.session?.consumeStream(self, opening) }
            guard inbox.arrivalDue == nil else { return }
            let due = connection.now.deadline + TimeAmount(connection.context.configuration.requestTimeout)
            inbox.arrivalDue = due
            deadline = min(callDue ?? due, due)
            connection.watchDeadline(due)
        } else {
            inbox.arrivalDue = nil
            deadline = callDue
        }
    }
}

// MARK: - Taking, from the handler's task

extension ServerStream {
    /// The next request; nil after the last.
    func nextRequest(_ inbox: RequestInbox, _ call: ServerCall) async throws(RPCError) -> ByteBuffer? {
        switch await take(inbox) {
        case .message(let message) where inbox.mayBeCompressed: return try await inflate(message, inbox, call)
        case .message(let message): return message.bytes
        case .end: return nil
        case .failure(let error): throw error
        }
    }

    /// A request that may be compressed. What it inflates to counts among the requests in memory until the next one is
    /// taken; one that can't be inflated within the bounds ends the call, whatever its handler makes of it.
    private func inflate(
        _ message: InboundMessage, _ inbox: RequestInbox, _ call: ServerCall
    ) async throws(RPCError) -> ByteBuffer {
        do throws(RPCError) {
            let request = try message.decoded(limit: call.method.maxRequestBytes, noun: "request")
            try await hold(message.isCompressed ? request.readableBytes : 0, inbox)
            call.noteRequest(isCompressed: message.isCompressed)
            return request
        } catch {
            executor.perform { self.fail(error) }
            throw error
        }
    }

    /// Counts what the request that was taken inflates to, in place of the one before. From any task: a handler may take
    /// requests where it likes.
    private func hold(_ count: Int, _ inbox: RequestInbox) async throws(RPCError) {
        if executor.eventLoop.inEventLoop { return try holdNow(count, inbox) }
        let failure: RPCError? = await withUnsafeContinuation { continuation in
            executor.perform {
                do throws(RPCError) {
                    try self.holdNow(count, inbox)
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: error)
                }
            }
        }
        if let failure { throw failure }
    }

    private func holdNow(_ count: Int, _ inbox: RequestInbox) throws(RPCError) {
        connection.eventLoop.assertInEventLoop()
        guard self.inbox != nil else { return }
        connection.releaseRequestBytes(inbox.inflatedHeld)
        headers.buffered -= inbox.inflatedHeld
        inbox.inflatedHeld = 0
        try connection.reserveRequestBytes(count)
        headers.buffered += count
        inbox.inflatedHeld = count
    }

    private func take(_ inbox: RequestInbox) async -> RequestInbox.Item {
        let queue = inbox.queue
        if let (item, count) = queue.take() {
            report(count)
            return item
        }
        let cancelled = RequestInbox.Item.failure(RPCError(.cancelled, "the task that reads requests is cancelled"))
        let ticket = queue.ticket()
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                report(queue.wait(continuation, ticket: ticket))
                // Cancelled before it waited: nobody else will say so.
                if Task.isCancelled { queue.dismiss(ticket, cancelled) }
            }
        } onCancel: {
            queue.dismiss(ticket, cancelled)
        }
    }

    private func report(_ count: Int) {
        if count > 0 { executor.perform { self.taken(count) } }
    }
}
