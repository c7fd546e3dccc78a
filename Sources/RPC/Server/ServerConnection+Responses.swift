internal import NIOCore

/// Responses in memory, all calls of the connection together: a caller that asks for much and reads nothing is held back.
///
/// What was appended is added up, and only when the sum reaches the bound is it looked up how much of it is still there:
/// that costs a walk through the streams once for as many bytes as the bound has.
extension ServerConnection {
    /// What a handler's caller is told whose response finds twice the bound in front of it.
    static let unreadResponses = RPCError(
        .resourceExhausted, "too many bytes of responses on one connection wait to be read",
        reason: "CONNECTION_BUFFER_FULL")

    /// Whether another call may be started.
    var hasResponseRoom: Bool { holds(lessThan: responseLimit) }

    /// Whether the response of a handler that has returned may still be kept.
    var admitsResponse: Bool { holds(lessThan: responseLimit * 2) }

    /// How many bytes a stream may buffer that has so many in its buffer. One that its caller reads to the end goes on
    /// for longer than others, so that those that aren't read don't stop it.
    func outboundLimit(buffered: Int) -> Int {
        let hasRoom = buffered == 0 ? admitsResponse : hasResponseRoom
        if !hasRoom { isHeldBack = true }
        return hasRoom ? context.configuration.maxBufferedResponseBytes : 0
    }

    private func holds(lessThan limit: Int) -> Bool {
        if responseBytes < limit { return true }
        responseBytes = streams.reduce(0) { $0 + $1.outbound.count }
        return responseBytes < limit
    }

    /// Starts the calls that are ready, as long as there is room for what they answer.
    func startReady() {
        if isHeldBack { ready.removeAll { $0.state.phase != .ready } }
        while !ready.isEmpty {
            let due = ready
            ready.removeAll(keepingCapacity: true)
            for (index, stream) in due.enumerated() {
                guard hasResponseRoom else {
                    isHeldBack = true
                    ready = Array(due[index...]) + ready
                    return
                }
                stream.start()
                if index % ServerConnection.callsPerWrite == ServerConnection.callsPerWrite - 1 { writeAnswers() }
            }
        }
    }

    /// Responses were sent or given up: what was held back may go on, as soon as this frame is done with.
    func responsesWentOut() {
        guard isHeldBack, !isCheckScheduled else { return }
        isCheckScheduled = true
        eventLoop.execute { self.goOn() }
    }

    private func goOn() {
        isCheckScheduled = false
        guard session != nil, hasResponseRoom else { return }
        // Not all writers at every byte that goes out, but when there is room for them. Each goes on as soon as its own
        // bytes are gone, too; one that has none on their way would wait for ever behind calls that take all the room.
        let isAmple = holds(lessThan: max(1, responseLimit / 4 * 3))
        if isAmple { isHeldBack = false }
        for case let stream as ServerStream in Array(streams) where isAmple || stream.outbound.isEmpty {
            stream.admitWaitingSends()
        }
        startReady()
        needsFlush()
    }
}
