/// Where a call is on the server. Free of I/O: each event says what must be done about it.
///
/// ```
/// receiving ─▶ ready ─▶ running ─▶ responding ─▶ answered ─▶ closed
/// ```
/// A call with one request is `ready` when that is complete, one with a stream of them when its headers are: what the
/// caller has yet to send is kept apart, in ``requests``.
///
/// Any state may go to `answered` when the call fails from outside (its deadline, a bad request, a shutdown), and to
/// `closed` when the stream is gone; the handler may then still be running, and what it says is dropped.
struct CallState: Equatable {
    enum Phase: Equatable, CaseIterable {
        /// The request isn't complete.
        case receiving
        /// The request is complete and waits for its turn.
        case ready
        /// The handler runs; nothing has been sent.
        case running
        /// The handler runs; response headers and perhaps messages have been sent.
        case responding
        /// The status has been handed to HTTP/2.
        case answered
        /// The stream is gone.
        case closed
    }

    /// What the caller has yet to send.
    enum Requests: Equatable, CaseIterable {
        /// The rest of one request, which the handler doesn't start without.
        case single
        /// Any number of requests, that the handler takes as they come.
        case stream
        /// Nothing: it has sent END_STREAM.
        case ended
    }

    private(set) var phase: Phase = .receiving
    private(set) var requests: Requests = .single
    /// Whether the handler has begun and not returned.
    private(set) var isHandlerRunning = false

    enum Sending: Equatable {
        case headersAndMessage
        case message
        /// Nobody is there to read it.
        case refused
    }

    enum Ending: Equatable {
        /// Headers, message and trailers, or headers and trailers in one when there is no message.
        case whole
        case trailers
        /// Already answered or gone.
        case nothing
    }

    /// The last byte of a valid request arrived; true when the call may be run.
    mutating func requestCompleted() -> Bool {
        guard phase == .receiving else { return false }
        phase = .ready
        return true
    }

    /// The headers of a call are complete whose requests are a stream; true when it may be run.
    mutating func requestStreamBegan() -> Bool {
        guard phase == .receiving, requests == .single else { return false }
        phase = .ready
        requests = .stream
        return true
    }

    /// Whether a handler is there, or soon will be, to take the requests of a stream.
    var takesRequests: Bool {
        guard requests == .stream else { return false }
        switch phase {
        case .ready, .running, .responding: return true
        case .receiving, .answered, .closed: return false
        }
    }

    /// The caller has sent END_STREAM; true when a handler takes a stream of requests and is to be told.
    mutating func requestsEnded() -> Bool {
        defer { requests = .ended }
        return takesRequests
    }

    /// Whether the caller goes on sending although it has its answer, and may be asked to stop (RFC 9113, 8.1).
    var isAnsweredEarly: Bool { phase == .answered && requests != .ended }

    /// It is the call's turn; false when it failed or was given up in the meantime.
    mutating func handlerBegan() -> Bool {
        guard phase == .ready else { return false }
        phase = .running
        isHandlerRunning = true
        return true
    }

    /// The handler has a message of a stream to send, or wants the headers sent before it has one: `message` when they
    /// were.
    mutating func messageSent() -> Sending {
        switch phase {
        case .running:
            phase = .responding
            return .headersAndMessage
        case .responding: return .message
        case .receiving, .ready, .answered, .closed: return .refused
        }
    }

    /// The handler has returned or thrown.
    mutating func handlerEnded() -> Ending {
        isHandlerRunning = false
        return answer()
    }

    /// The call fails from outside. The handler, if it runs, is to be cancelled.
    mutating func failed() -> Ending {
        answer()
    }

    /// The stream is gone; true when a handler runs for nobody and is to be cancelled.
    mutating func streamClosed() -> Bool {
        let wasAnswered = phase == .answered
        phase = .closed
        return isHandlerRunning && !wasAnswered
    }

    private mutating func answer() -> Ending {
        switch phase {
        case .receiving, .ready, .running:
            phase = .answered
            return .whole
        case .responding:
            phase = .answered
            return .trailers
        case .answered, .closed:
            return .nothing
        }
    }
}
