internal import NIOCore

/// One call on a server's connection: from its request headers to its trailers.
final class ServerStream: HTTP2Stream, @unchecked Sendable {
    // Unchecked: everything but `send(framed:)` and `run()` happens on the connection's event loop, its only guard;
    // those two go to the loop before they touch anything.

    let connection: ServerConnection
    @exclusivity(unchecked) var state = CallState()
    /// Nil until the path has named a method.
    var method: MethodTable.Entry?
    @exclusivity(unchecked) var metadata = Metadata()
    @exclusivity(unchecked) var headers = RequestHeaders()
    /// The handler's deadline; without one, `deadline` is only for the request to arrive.
    @exclusivity(unchecked) var callDue: NIODeadline?
    /// How much of a finished response was there when the connection last looked for unread ones; nil before it has.
    var unread: Int?
    @exclusivity(unchecked) var deframer = MessageDeframer(limit: 0, noun: "request")
    @exclusivity(unchecked) var request: ByteBuffer?
    /// The requests of a call that has a stream of them, while its handler may take any.
    var inbox: RequestInbox?
    /// Made when the handler starts.
    @exclusivity(unchecked) var call: ServerCall?
    var task: Task<Void, Never>?
    /// Senders that wait for room, in order.
    @exclusivity(unchecked) var waitingSends: [WaitingSend] = []
    /// The rule of HTTP/2's that the request has broken, once it has.
    var fault: RequestFault?
    /// The status the caller was given when it isn't the handler's own.
    var outcomeFromOutside: RPCError?

    private static let requestTooLate = RPCError(.deadlineExceeded, "the request was not complete in time")

    init(connection: ServerConnection) {
        self.connection = connection
    }

    override func receivedHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        headers.size += name.count + value.count + 32
        // What goes over the limit isn't kept; the call is refused once its header block is complete. Not so one that
        // goes far over it: a byte of HPACK can stand for a pair of four thousand, and each is looked through.
        let limit = connection.context.configuration.maxHeaderListBytes
        let isWithinLimit = headers.size <= limit
        guard isWithinLimit || headers.size / 16 <= limit else { return false }
        switch headers.take(name: name, value: value) {
        case .own: break
        case .path:
            method = connection.context.methods[value]
            if method == nil { headers.tookUnknownPath(value) }
        case .metadata(let value):
            if isWithinLimit { metadata.append(name: name, value: value) }
        }
        return true
    }

    override func receivedHeaders(endOfStream: Bool) {
        if headers.areComplete {
            // A second header block is trailers, which a gRPC request doesn't have.
            if let fault = headers.trailersCompleted(endOfStream: endOfStream) { reject(fault) }
            return
        }
        if let fault = headers.completed() { return reject(fault) }
        guard state.phase == .receiving else { return }
        if let refusal = headers.refusal(limit: connection.context.configuration.maxHeaderListBytes) {
            return connection.refuse(self, refusal)
        }
        guard let method else {
            return fail(RPCError(.unimplemented, "unknown method"))
        }
        let descriptor = method.handler.method
        deframer = MessageDeframer(limit: descriptor.maxRequestBytes, noun: "request")
        if headers.isGzip { deframer.allowsCompressed = true }
        setDeadline(descriptor, awaitsRequest: !endOfStream && !method.takesRequestStream)
        if method.takesRequestStream { beginRequestStream() }
    }

    private func setDeadline(_ descriptor: MethodDescriptor, awaitsRequest: Bool) {
        let now = connection.now
        if let timeout = headers.timeout ?? descriptor.defaultDeadline {
            callDue = now.deadline + TimeAmount(timeout)
        }
        deadline = callDue
        if awaitsRequest {
            // A caller may give its call hours, but not hours to send the request.
            let arrival = now.deadline + TimeAmount(connection.context.configuration.requestTimeout)
            deadline = min(callDue ?? arrival, arrival)
        }
        if let deadline { connection.watchDeadline(deadline) }
    }

    override func receivedData(_ bytes: UnsafeRawBufferPointer) {
        if headers.exceedsLength(bytes.count) { return reject(.contentLength) }
        guard state.phase == .receiving else { return receivedStreamed(bytes) }
        do throws(RPCError) {
            try connection.reserveRequestBytes(bytes.count)
            headers.buffered += bytes.count
            try deframer.append(bytes) { message throws(RPCError) in
                guard request == nil else {
                    throw RPCError(.unimplemented, "request: more than one message")
                }
                request = message.bytes
                if message.isCompressed { headers.isRequestCompressed = true }
            }
            connection.session?.consumeStream(self, bytes.count)
        } catch {
            fail(error)
        }
    }

    override func receivedEndOfStream() {
        if headers.missesLength { return reject(.contentLength) }
        if state.requestsEnded() { return endRequestStream() }
        guard state.phase == .receiving else { return }
        if deframer.partialCount > 0 { return fail(RPCError(.internal, "request: cut short")) }
        if request == nil { return fail(RPCError(.unimplemented, "request: no message")) }
        if state.requestCompleted() {
            deadline = callDue
            if let deadline { connection.watchDeadline(deadline) }
            connection.ready.append(self)
        }
    }

    override func closed(code: UInt32) {
        releaseRequestBytes()
        dropRequests("the caller cancelled the call")
        if state.streamClosed() {
            outcomeFromOutside = RPCError(.cancelled, "the caller cancelled the call")
            task?.cancel()
        }
        refuseWaitingSends()
        outbound.removeAll()
        connection.responsesWentOut()
    }

    override func outboundDrained() {
        admitWaitingSends()
        connection.responsesWentOut()
        // The last of an answer is on its way to a caller that goes on sending.
        if state.isAnsweredEarly, outbound.isEmpty, outboundEnd != nil { connection.resetAfterFlush(self) }
    }

    override func deadlinePassed() {
        switch state.phase {
        case .receiving where !headers.areComplete:
            connection.reportFault(isFlood: false)
            connection.close()
        case .receiving: fail(ServerStream.requestTooLate)
        case .ready, .running, .responding:
            if inbox?.arrivalDue != nil, callDue.map({ $0 > .now() }) ?? true {
                fail(ServerStream.requestTooLate)
            } else {
                fail(RPCError(.deadlineExceeded, "the deadline passed before the call was done"))
            }
        case .answered, .closed: break
        }
    }

    /// The bytes of the request no longer wait in memory.
    func releaseRequestBytes() {
        connection.releaseRequestBytes(headers.buffered)
        headers.buffered = 0
    }
}
