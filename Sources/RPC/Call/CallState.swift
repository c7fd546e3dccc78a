/// Where a call is on the server. Free of I/O: each event says what must be done about it.
///
/// ```
/// receiving ─▶ ready ─▶ running ─▶ responding ─▶ answered ─▶ closed
/// ```
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

    private(set) var phase: Phase = .receiving
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

    /// It is the call's turn; false when it failed or was given up in the meantime.
    mutating func handlerBegan() -> Bool {
        guard phase == .ready else { return false }
        phase = .running
        isHandlerRunning = true
        return true
    }

    /// The handler has a message of a stream to send.
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
