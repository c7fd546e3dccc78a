internal import NIOCore

/// One call on a client's connection: from its request to the status that ends it.
final class ClientStream: HTTP2Stream, @unchecked Sendable {
    // Unchecked: everything but the constants is touched on the connection's event loop alone.

    /// Who is told of the outcome.
    enum Receiver: Sendable {
        case single(UnsafeContinuation<CallOutcome, Never>)
        case many(ResponseQueue)
        case observer(HealthWatch)
    }

    let connection: ClientConnection
    let method: MethodDescriptor
    let metadata: Metadata
    private let boxed: CallOptions.Boxed?
    @exclusivity(unchecked) var state: ClientCallState
    /// Attempts that a retry policy has made at the call before this one.
    var previousAttempts = 0
    /// Nil until the call is started.
    var receiver: Receiver?
    /// What became of a call that ended before it was started.
    private var earlyOutcome: CallOutcome?
    @exclusivity(unchecked) private var headers = ResponseHeaders()
    @exclusivity(unchecked) private var deframer: MessageDeframer
    private var response: InboundMessage?
    /// The server's metadata of the header block that is being read, when the caller wants it.
    private var collected = Metadata()
    /// Whether there was more of a response than a status.
    private var hasBegun = false
    /// Bytes of the incomplete message that the window has been told of.
    private var openedForPartial = 0
    /// Senders of requests that wait for room, in order.
    @exclusivity(unchecked) var waitingSends: [WaitingSend] = []

    /// A call of one request.
    convenience init(
        connection: ClientConnection, method: MethodDescriptor, options: CallOptions, framedRequest: ByteBuffer
    ) {
        self.init(connection, method, options, ClientCallState())
        outbound.append(framedRequest)
        outboundEnd = .endOfStream
    }

    /// A call that has said so much by now, and may go on.
    convenience init(
        connection: ClientConnection, method: MethodDescriptor, options: CallOptions, requests: RequestLog
    ) {
        self.init(connection, method, options, ClientCallState(requests: requests.isFinished ? .closed : .open))
        for message in requests.messages { outbound.append(message) }
        if requests.isFinished { outboundEnd = .endOfStream }
    }

    private init(
        _ connection: ClientConnection, _ method: MethodDescriptor, _ options: CallOptions, _ state: ClientCallState
    ) {
        self.connection = connection
        self.method = method
        metadata = options.metadata
        boxed = options.boxed
        self.state = state
        deframer = MessageDeframer(limit: options.responseLimit(method, connection.limits), noun: "response")
        super.init()
        deadline = options.deadline.map { NIODeadline(at: $0) }
    }

    /// Whether it is no call of anyone's.
    var isBackground: Bool {
        if case .observer = receiver { true } else { false }
    }

    /// Whether requests may be compressed.
    var isCompressing: Bool { boxed?.extras.compression == .gzip }

    /// The call is made; what an attempt before it was told no longer counts.
    func forgetEarlierResponse() {
        boxed?.extras.responseMetadata?.reset()
    }

    /// The receiver is ready. A call that was cancelled before tells it so.
    func attach(_ receiver: Receiver) {
        self.receiver = receiver
        if let earlyOutcome { deliver(earlyOutcome) }
    }

    override func receivedHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        headers.size += name.count + value.count + 32
        // What goes over the limit isn't kept; the call fails once its header block is complete. Not so one that goes
        // far over it: a byte of HPACK can stand for a pair of four thousand, and each is looked through.
        let limit = connection.limits.maxHeaderListBytes
        guard headers.size <= limit else { return headers.size / 16 <= limit }
        if !headers.take(name: name, value: value), boxed?.extras.responseMetadata != nil,
            name.isMetadataName, let value = value.metadataValue
        {
            collected.append(name: name, value: value)
        }
        return true
    }

    override func receivedHeaders(endOfStream: Bool) {
        guard headers.size <= connection.limits.maxHeaderListBytes else { return abandon(headersTooLong) }
        headers.size = 0
        if headers.isInformational {
            collected = Metadata()
            if !headers.forgetInformational() {
                abandon(RPCError(.internal, "response: too many informational responses"))
            }
            return
        }
        if !isBackground { connection.answered() }
        if let metadata = boxed?.extras.responseMetadata { report(to: metadata, endOfStream: endOfStream) }
        guard state.responded(), !endOfStream else { return }
        hasBegun = true
        headers.forgetStatus()
        deframer.allowsCompressed = headers.allowsCompressed
        if let error = headers.refusal { abandon(error) }
    }

    private var headersTooLong: RPCError {
        RPCError(
            .resourceExhausted, "response: metadata longer than \(connection.limits.maxHeaderListBytes) bytes",
            reason: "METADATA_TOO_LARGE")
    }

    private func report(to metadata: ResponseMetadata, endOfStream: Bool) {
        guard state.phase != .done else { return }
        if endOfStream {
            metadata.ended(collected)
        } else {
            metadata.began(collected)
        }
        collected = Metadata()
    }

    override func receivedData(_ bytes: UnsafeRawBufferPointer) {
        guard state.phase == .responding else { return }
        do throws(RPCError) {
            try deframer.append(bytes) { message throws(RPCError) in try received(message) }
        } catch {
            return abandon(error)
        }
        switch receiver {
        case .many: openForPartial()
        case .single, .observer, .none: connection.session?.consumeStream(self, bytes.count)
        }
    }

    private func received(_ message: InboundMessage) throws(RPCError) {
        if message.isCompressed { boxed?.extras.responseMetadata?.receivedCompressed() }
        switch receiver {
        case .many(let queue):
            let held = message.wireSize - openedForPartial
            openedForPartial = 0
            if queue.push(message, held: held) { connection.session?.consumeStream(self, held) }
        case .observer(let watch):
            watch.received(message)
        case .single, .none:
            guard response == nil else { throw RPCError(.unimplemented, "response: more than one message") }
            response = message
        }
    }

    /// A reader took messages that held so many bytes of the window.
    func opened(_ count: Int) {
        connection.session?.consumeStream(self, count)
        openForPartial()
        connection.needsFlush()
    }

    /// A message larger than the window must be let in while nothing else waits to be read.
    private func openForPartial() {
        guard case .many(let queue) = receiver, deframer.partialCount > openedForPartial, queue.isEmpty else { return }
        connection.session?.consumeStream(self, deframer.partialCount - openedForPartial)
        openedForPartial = deframer.partialCount
    }

    override func receivedEndOfStream() {
        guard state.ended() else { return }
        if let failure = headers.failure {
            deliver(.failure(self.failure(failure)))
        } else if deframer.partialCount > 0 {
            deliver(.failure(CallFailure(error: RPCError(.internal, "response: cut short"), repeating: .never)))
        } else if let response {
            deliver(.response(response))
        } else if case .single = receiver {
            deliver(.failure(CallFailure(error: RPCError(.unimplemented, "response: no message"), repeating: .never)))
        } else {
            deliver(.response(InboundMessage(bytes: ByteBuffer())))
        }
        // The server answered without wanting all that was to be said.
        if !outbound.isEmpty || outboundEnd == nil { connection.session?.reset(self, .cancel) }
    }

    /// A status that the server has sent. A stream's responses may have been read before it, so that it is the end.
    private func failure(_ status: RPCError) -> CallFailure {
        var mayRepeat = !hasBegun
        if case .single = receiver { mayRepeat = true }
        return CallFailure(error: status, repeating: mayRepeat ? .byPolicy : .never, pushback: headers.pushback)
    }

    override func outboundDrained() {
        if state.requests != .closed { requestsDrained() }
    }

    override func closed(code: UInt32) {
        let hadResponse = state.hasResponse
        guard state.ended() else { return }
        if code == HTTP2ErrorCode.refusedStream.rawValue {
            deliver(.failure(CallFailure(error: RPCError(resetCode: code), repeating: hadResponse ? .never : .refused)))
        } else if connection.session == nil {
            deliver(
                .failure(
                    CallFailure(error: connection.unreachable, repeating: hadResponse ? .never : .ifIdempotent)))
        } else {
            deliver(.failure(CallFailure(error: RPCError(resetCode: code), repeating: .never)))
        }
    }

    override func deadlinePassed() {
        abandon(RPCError(.deadlineExceeded, "the deadline passed before the server answered"))
    }

    /// Ends the call from this side.
    func abandon(_ error: RPCError, _ repeating: CallOutcome.Repeating = .never) {
        switch state.abandoned() {
        case .nothing: return
        case .forget: connection.forget(self)
        case .reset:
            connection.session?.reset(self, .cancel)
            connection.needsFlush()
        }
        deliver(.failure(CallFailure(error: error, repeating: repeating)))
    }

    private func deliver(_ outcome: CallOutcome) {
        deadline = nil
        switch receiver {
        case .single(let continuation):
            continuation.resume(returning: outcome)
        case .many(let queue):
            switch outcome {
            case .response: queue.finish(.end)
            case .failure(let failure): queue.finish(.failure(failure))
            }
        case .observer(let watch):
            watch.ended(outcome)
        case .none:
            earlyOutcome = outcome
        }
        // After the outcome is known: a sender that is refused asks for it.
        refuseWaitingSends()
    }
}
