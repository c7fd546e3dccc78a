/// Where a call is on the client. Free of I/O: each event says what must be done about it.
///
/// ```
/// waiting ─▶ open ─▶ responding ─▶ done
/// ```
/// Beside it goes what the caller has still to say: `open ─▶ closing ─▶ closed`. A call of one request starts closed.
struct ClientCallState: Equatable {
    enum Phase: Equatable, CaseIterable {
        /// Not sent: there is no HTTP/2 stream for it yet.
        case waiting
        /// The request is sent or being sent.
        case open
        /// Response headers have come.
        case responding
        /// The caller has been given the outcome.
        case done
    }

    /// Whether there are requests still to come.
    enum Requests: Equatable, CaseIterable {
        /// More may follow.
        case open
        /// The caller has said its last, which may still wait for room.
        case closing
        /// All of them are with HTTP/2.
        case closed
    }

    /// What must be done about a call that ends by this side's will.
    enum Abandoning: Equatable {
        /// It was over already.
        case nothing
        /// The server doesn't know of it.
        case forget
        /// The server is to be told.
        case reset
    }

    private(set) var phase: Phase = .waiting
    private(set) var requests: Requests

    init(requests: Requests = .closed) {
        self.requests = requests
    }

    /// A stream was opened for it; false when it ended while it waited.
    mutating func opened() -> Bool {
        guard phase == .waiting else { return false }
        phase = .open
        return true
    }

    /// Headers have come; false when nobody waits for them.
    mutating func responded() -> Bool {
        switch phase {
        case .open, .responding:
            phase = .responding
            return true
        case .waiting, .done:
            return false
        }
    }

    /// The caller has said its last; true when that is news to a call that isn't over.
    mutating func finished() -> Bool {
        guard takesRequests else { return false }
        requests = .closing
        return true
    }

    /// No request waits for room any more; true when the end of them may be sent now.
    mutating func requestsLeft() -> Bool {
        guard requests == .closing, phase != .done else { return false }
        requests = .closed
        return true
    }

    /// The server has ended the call, or the connection has; true when the caller has yet to be told.
    mutating func ended() -> Bool {
        defer { phase = .done }
        return phase != .done
    }

    /// This side ends the call: cancellation, a deadline, a response that can't be accepted.
    mutating func abandoned() -> Abandoning {
        defer { phase = .done }
        switch phase {
        case .waiting: return .forget
        case .open, .responding: return .reset
        case .done: return .nothing
        }
    }

    /// Whether the server may have begun to answer, so that repeating the call could answer it twice.
    var hasResponse: Bool { phase == .responding || phase == .done }

    /// Whether another request may be sent.
    var takesRequests: Bool { requests == .open && phase != .done }
}
