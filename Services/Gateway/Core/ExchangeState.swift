/// Where one connection is in its exchanges of requests and answers (RFC 9112, sections 9.3 and 9.6). Free of I/O.
///
/// Requests may follow one another before they are answered; answers are given in their order. A fault is told when
/// everything before it has been answered, and nothing is read after it.
package struct ExchangeState: Sendable {
    private struct Exchange {
        var isHTTP10: Bool
        /// The connection ends with its answer, for the client asked so.
        var isLast: Bool
        /// The client waits for an interim answer, which has not been given.
        var expectsContinue: Bool
        /// All of the request is here.
        var isComplete = false
        var answer = Answer.none
    }

    private enum Answer {
        case none, begun
        /// Told by the connection itself; what is answered besides is dropped.
        case replaced
    }

    /// What a fault leads to.
    package enum FaultAction: Sendable, Equatable {
        /// It is answered now, and the connection ends.
        case tell
        /// Whoever reads the request's body is to hear that there will be no more of it; the answer is replaced then.
        case failRequest
        /// It is told later, or not at all, since its request has been answered.
        case wait
    }

    /// How an answer goes out.
    package struct Framing: Sendable, Equatable {
        package var closes: Bool
        /// It is told that the connection goes on, which HTTP/1.0 needs.
        package var saysKeepAlive: Bool
        /// Its end is the connection's: HTTP/1.0 knows no chunks.
        package var endsWithConnection: Bool

        package init(closes: Bool, saysKeepAlive: Bool, endsWithConnection: Bool) {
            self.closes = closes
            self.saysKeepAlive = saysKeepAlive
            self.endsWithConnection = endsWithConnection
        }
    }

    package enum AnswerAction: Sendable, Equatable {
        case write(Framing)
        /// The fault is answered instead.
        case tell(RequestFault)
        case drop
    }

    package enum EndAction: Sendable, Equatable {
        /// More requests may come, or have.
        case next
        case close
        /// The answer was the last before this fault, which is told now.
        case closeTelling(RequestFault)
        case drop
    }

    /// Oldest first. Bounded by what one read of the socket holds: reading stops while requests wait.
    private var exchanges: [Exchange] = []
    private var fault: RequestFault?
    /// Nothing that comes is looked at any more.
    package private(set) var isDeaf = false
    private var isDraining = false
    private var closes = false

    package init() {}

    /// Nothing has been asked that isn't answered.
    package var isIdle: Bool { exchanges.isEmpty && !isDeaf }

    /// Part of a request is here, and not all.
    package var isReceiving: Bool { exchanges.last.map { !$0.isComplete } ?? false }

    /// The server is on its way down: each connection ends with its next answer.
    package mutating func drain() { isDraining = true }

    /// The connection is turned away: nothing is read, nothing of what is answered is written.
    package mutating func refuseAll() {
        isDeaf = true
        closes = true
    }

    package mutating func headArrived(isHTTP10: Bool, isLast: Bool, expectsContinue: Bool) {
        exchanges.append(Exchange(isHTTP10: isHTTP10, isLast: isLast, expectsContinue: expectsContinue))
    }

    /// Part of a body: whoever sends it waits for nothing.
    package mutating func bodyArrived() {
        guard !exchanges.isEmpty else { return }
        exchanges[exchanges.count - 1].expectsContinue = false
    }

    package mutating func requestEnded() {
        guard !exchanges.isEmpty else { return }
        exchanges[exchanges.count - 1].isComplete = true
        // What comes after the last request of a connection is not for it (RFC 9112, section 9.6).
        if exchanges[exchanges.count - 1].isLast { isDeaf = true }
    }

    package mutating func faulted(_ fault: RequestFault) -> FaultAction {
        guard !closes else { return .wait }
        isDeaf = true
        guard let last = exchanges.last else {
            closes = true
            return .tell
        }
        self.fault = fault
        guard !last.isComplete, last.answer == .none else { return .wait }
        return .failRequest
    }

    /// Whether the interim answer is to be given, as the body is about to be read; only once.
    package mutating func takesContinue() -> Bool {
        guard let first = exchanges.first, first.expectsContinue, first.answer == .none, !isDeaf else { return false }
        exchanges[0].expectsContinue = false
        return true
    }

    /// - Parameter isDelimited: the answer has a length, or no body.
    package mutating func answerBegins(isDelimited: Bool) -> AnswerAction {
        guard let first = exchanges.first, first.answer == .none else { return .drop }
        if !first.isComplete, exchanges.count == 1, let fault {
            exchanges[0].answer = .replaced
            closes = true
            return .tell(fault)
        }
        exchanges[0].answer = .begun
        let endsWithConnection = first.isHTTP10 && !isDelimited
        // A body that has not been read would be taken for the next request.
        let closes = first.isLast || !first.isComplete || endsWithConnection || isDraining
        if closes { exchanges[0].isLast = true }
        return .write(
            Framing(
                closes: closes, saysKeepAlive: first.isHTTP10 && !closes, endsWithConnection: endsWithConnection))
    }

    /// Whether a part of an answer's body is to be written.
    package var writesBody: Bool { exchanges.first?.answer == .begun }

    package mutating func answerEnds() -> EndAction {
        guard let first = exchanges.first, first.answer == .begun else { return .drop }
        exchanges.removeFirst()
        if first.isLast {
            isDeaf = true
            closes = true
            return .close
        }
        guard exchanges.isEmpty, let fault else { return .next }
        closes = true
        return .closeTelling(fault)
    }
}
