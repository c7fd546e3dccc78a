internal import Logging
internal import NIOCore

/// Running the handler, and what becomes of its outcome.
extension ServerStream {
    private static let tooManyHandlers = RPCError(
        .resourceExhausted, "too many calls of this connection are still running", reason: "TOO_MANY_CALLS")

    /// It is the call's turn. The handler runs here and now until it first waits; if it never does, its answer is in
    /// this turn's write.
    func start() {
        if connection.isStopping, let status = method?.handler.endAtShutdown { return fail(status) }
        guard let method, state.handlerBegan() else { return }
        guard connection.handlerBegan() else {
            _ = state.handlerEnded()
            return connection.submitTrailersOnly(self, ServerStream.tooManyHandlers.trailers)
        }
        call = ServerCall(
            method: method.handler.method, peer: connection.peer, metadata: metadata, due: callDue,
            began: connection.now.deadline, compression: compressionChoice)
        let started = Task.immediate(executorPreference: connection.executor) { await self.run() }
        guard state.isHandlerRunning else { return }
        task = started
        // It failed from outside while it ran here, before there was a task to cancel.
        if state.phase == .answered || state.phase == .closed { started.cancel() }
    }

    private var compressionChoice: ResponseCompression.Choice {
        guard headers.acceptsGzip else { return .notAccepted }
        return connection.context.configuration.responseCompression ? .on : .off
    }

    private static let tooMuchMetadata = RPCError(
        .internal, "the response has more metadata than can be sent", reason: "METADATA_TOO_LARGE")

    /// The interceptors around the handler, and the answer.
    ///
    /// What few calls need is in functions of its own, which are not inlined: it would make this one's frame, that every
    /// call allocates, four times as large.
    private func run() async {
        guard let call, let method else { return }
        // Held here, because a call that fails from outside lets go of both.
        let request = request ?? ByteBuffer()
        let inbox = inbox
        var begun = 0
        var response: ByteBuffer?
        var failure: (any Error)?
        do {
            if !connection.context.interceptors.isEmpty { try await begin(call, &begun) }
            if case .unary(let body) = method.handler.body, !headers.isRequestCompressed {
                response = try await body(request, call)
            } else {
                response = try await handle(request, inbox, method.handler, call)
            }
        } catch {
            failure = error
        }
        // The task prefers the connection's executor, so this is the loop, unless a handler found a way to leave it.
        if !connection.eventLoop.inEventLoop { await returnToLoop() }
        settle(call, response, failure, begun)
    }

    @inline(never)
    private func begin(_ call: ServerCall, _ begun: inout Int) async throws {
        for interceptor in connection.context.interceptors {
            try await interceptor.begin(call)
            begun += 1
        }
    }

    /// Runs the handler, of any kind; nil when its responses have been sent already.
    @inline(never)
    private func handle(
        _ request: ByteBuffer, _ inbox: RequestInbox?, _ handler: MethodHandler, _ call: ServerCall
    ) async throws -> ByteBuffer? {
        let request = headers.isRequestCompressed ? try await inflate(request, call) : request
        switch handler.body {
        case .unary(let body):
            return try await body(request, call)
        case .serverStreaming(let body):
            try await body(request, RawResponseWriter(self, call), call)
        case .clientStreaming(let body):
            return try await body(requests(inbox, call), call)
        case .bidirectional(let body):
            try await body(requests(inbox, call), RawResponseWriter(self, call), call)
        }
        return nil
    }

    /// The handler has returned: its outcome goes through the interceptors that had begun, and to the caller.
    @inline(never)
    private func settle(_ call: ServerCall, _ response: ByteBuffer?, _ error: (any Error)?, _ begun: Int) {
        var failure = error.map { status(of: $0) }
        if response != nil, !connection.admitsResponse { failure = ServerConnection.unreadResponses }
        if failure == nil, call.hasTooMuchMetadata { failure = ServerStream.tooMuchMetadata }
        if begun > 0 {
            let outcome = outcomeFromOutside ?? failure
            for interceptor in connection.context.interceptors[..<begun].reversed() {
                interceptor.end(call, outcome: outcome)
            }
            // What one of them has added counts as well.
            if failure == nil, call.hasTooMuchMetadata { failure = ServerStream.tooMuchMetadata }
        }
        finish(response, failure)
    }

    /// Whether the headers of a stream can be sent as they are; the call fails when they can't.
    func admitsHeaders() -> Bool {
        guard state.phase == .running, call?.hasTooMuchMetadata == true else { return true }
        fail(ServerStream.tooMuchMetadata)
        return false
    }

    private func requests(_ inbox: RequestInbox?, _ call: ServerCall) throws(RPCError) -> RawRequestStream {
        // There is one when such a call starts.
        guard let inbox else { throw RPCError(.cancelled, "the call is over") }
        return RawRequestStream(self, inbox, call)
    }

    /// The request of a call that has one and sent it compressed. Only now, when the interceptors have let the call in.
    private func inflate(_ compressed: ByteBuffer, _ call: ServerCall) async throws(RPCError) -> ByteBuffer {
        if !connection.eventLoop.inEventLoop { await returnToLoop() }
        let request = try InboundMessage(bytes: compressed, isCompressed: true)
            .decoded(limit: call.method.maxRequestBytes, noun: "request")
        try connection.reserveRequestBytes(request.readableBytes)
        releaseRequestBytes()
        headers.buffered = request.readableBytes
        call.noteRequest(isCompressed: true)
        return request
    }

    func returnToLoop() async {
        await withUnsafeContinuation { continuation in
            connection.eventLoop.execute { continuation.resume() }
        }
    }

    /// The status that an error thrown by a handler stands for.
    private func status(of error: any Error) -> RPCError {
        if let status = error as? RPCError { return status }
        if error is CancellationError { return RPCError(.cancelled, "the call was cancelled") }
        // The type alone: the error may hold what the caller sent.
        connection.context.logger.error(
            "handler failed",
            metadata: [
                "method": "\(method?.handler.method.path ?? "")", "error_type": "\(type(of: error))",
            ])
        return RPCError(.internal, "internal error")
    }

    private func finish(_ response: ByteBuffer?, _ failure: RPCError?) {
        connection.handlerEnded()
        task = nil
        request = nil
        releaseRequestBytes()
        dropRequests("the call is over")
        refuseWaitingSends()
        let ending = state.handlerEnded()
        answer(ending, response: failure == nil ? response : nil, failure, call?.responseMetadata)
        call = nil
    }

    /// Ends the call with that status, from outside the handler, which is cancelled if it runs.
    func fail(_ error: RPCError) {
        let ending = giveUp(error)
        guard ending != .nothing else { return }
        if !outbound.isEmpty { connection.resetUnlessSent(self) }
        answer(ending, response: nil, error, nil)
        if state.isHandlerRunning { task?.cancel() }
    }

    /// The request breaks HTTP/2's rules, which is an error of its stream (RFC 9113, 8.1.1). A handler that has begun is
    /// cancelled.
    func reject(_ fault: RequestFault) {
        guard self.fault == nil else { return }
        self.fault = fault
        connection.session?.resetForFault(self)
        connection.needsFlush()
        guard giveUp(ServerStream.brokenRequest) != .nothing else { return }
        if state.isHandlerRunning { task?.cancel() }
    }

    private static let brokenRequest = RPCError(.internal, "the request broke the rules of HTTP/2")

    /// Lets go of what the call holds, whose outcome is that error.
    private func giveUp(_ error: RPCError) -> CallState.Ending {
        let ending = state.failed()
        guard ending != .nothing else { return ending }
        outcomeFromOutside = error
        request = nil
        releaseRequestBytes()
        dropRequests(error.message)
        refuseWaitingSends()
        return ending
    }

    private func answer(
        _ ending: CallState.Ending, response: ByteBuffer?, _ failure: RPCError?, _ metadata: ResponseMetadataPair?
    ) {
        guard ending != .nothing, let session = connection.session else { return }
        connection.needsFlush()
        if ending == .whole, let failure, outbound.isEmpty, metadata?.initial.isEmpty ?? true {
            return connection.submitTrailersOnly(self, failure.trailers.appending(metadata?.trailers))
        }
        if let response {
            outbound.append(isCompressing ? MessageFraming.compressed(response) : response)
            connection.responseBytes += outbound.count
        }
        outboundEnd = ServerStream.end(failure, metadata?.trailers)
        if ending == .whole {
            submitHeaders(session, metadata?.initial)
        } else {
            session.resume(self)
        }
    }

    private var isCompressing: Bool { call?.compression.isOn ?? false }

    /// The response headers, before the first message.
    func submitHeaders(_ session: HTTP2Session, _ initial: Metadata?) {
        let isAnnounced = call?.compression.isAnnounced ?? false
        guard isAnnounced || initial != nil else { return session.submitResponse(self) }
        let encoding: Metadata = isAnnounced ? ["grpc-encoding": "gzip"] : [:]
        session.submitResponse(self, encoding.appending(initial))
    }

    private static func end(_ failure: RPCError?, _ trailers: Metadata?) -> OutboundEnd {
        if let failure { return .trailers(failure.trailers.appending(trailers)) }
        guard let trailers, !trailers.isEmpty else { return .statusOK }
        let status: Metadata = ["grpc-status": "0"]
        return .trailers(status.appending(trailers))
    }
}

extension Metadata {
    /// These pairs, then the others.
    func appending(_ others: Metadata?) -> Metadata {
        guard let others, !others.isEmpty else { return self }
        var all = self
        all.storage += others.storage
        return all
    }
}
