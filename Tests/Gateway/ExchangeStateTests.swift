import GatewayCore
import Testing

@Suite("the exchanges on a connection")
struct ExchangeStateTests {
    private func asked(
        _ count: Int = 1, isHTTP10: Bool = false, isLast: Bool = false, expectsContinue: Bool = false,
        isComplete: Bool = true
    ) -> ExchangeState {
        var state = ExchangeState()
        for number in 1...count {
            let isFinal = number == count
            state.headArrived(
                isHTTP10: isHTTP10, isLast: isLast && isFinal, expectsContinue: expectsContinue && isFinal)
            if isComplete || !isFinal { state.requestEnded() }
        }
        return state
    }

    private let open = ExchangeState.AnswerAction.write(
        .init(closes: false, saysKeepAlive: false, endsWithConnection: false))
    private let closing = ExchangeState.AnswerAction.write(
        .init(closes: true, saysKeepAlive: false, endsWithConnection: false))

    @Test("requests are answered one after the other, and the connection goes on")
    func goesOn() {
        var state = asked(2)
        for _ in 0..<2 {
            #expect(!state.isIdle)
            #expect(state.answerBegins(isDelimited: true) == open)
            #expect(state.writesBody)
            #expect(state.answerEnds() == .next)
        }
        #expect(state.isIdle && !state.isDeaf)
    }

    @Test("a client that wants no more hears that the connection ends, and nothing after its request is heard")
    func last() {
        var state = asked(isLast: true)
        #expect(state.isDeaf)
        #expect(state.answerBegins(isDelimited: true) == closing)
        #expect(state.answerEnds() == .close)
        #expect(state.faulted(.malformed) == .wait)
    }

    @Test("a request that is answered before all of it is here ends the connection")
    func unread() {
        var state = asked(isComplete: false)
        #expect(state.isReceiving)
        #expect(state.answerBegins(isDelimited: true) == closing)
        #expect(state.answerEnds() == .close)
    }

    @Test("HTTP/1.0 is told whether the connection goes on, and an answer without a length ends with it")
    func http10() {
        var state = asked(isHTTP10: true)
        #expect(
            state.answerBegins(isDelimited: true)
                == .write(.init(closes: false, saysKeepAlive: true, endsWithConnection: false)))
        #expect(state.answerEnds() == .next)
        state = asked(isHTTP10: true)
        #expect(
            state.answerBegins(isDelimited: false)
                == .write(.init(closes: true, saysKeepAlive: false, endsWithConnection: true)))
        #expect(state.answerEnds() == .close)
    }

    @Test("a fault is told at once when nothing waits, and after what came before it otherwise")
    func faults() {
        var state = ExchangeState()
        #expect(state.faulted(.hostMissing) == .tell)
        #expect(state.isDeaf)
        #expect(state.faulted(.malformed) == .wait)
        state = asked(2)
        #expect(state.faulted(.malformed) == .wait)
        #expect(state.isDeaf)
        #expect(state.answerBegins(isDelimited: true) == open)
        #expect(state.answerEnds() == .next)
        #expect(state.answerBegins(isDelimited: true) == open)
        #expect(state.answerEnds() == .closeTelling(.malformed))
    }

    @Test("a fault amid a body is told instead of what its reader answers")
    func brokenBody() {
        var state = asked(2, isComplete: false)
        #expect(state.faulted(.tooSlow) == .failRequest)
        #expect(state.answerBegins(isDelimited: true) == open)
        #expect(state.answerEnds() == .next)
        #expect(state.answerBegins(isDelimited: true) == .tell(.tooSlow))
        #expect(!state.writesBody)
        #expect(state.answerEnds() == .drop)
    }

    @Test("a fault amid a body that has been answered is told to nobody")
    func brokenBodyAnswered() {
        var state = asked(isComplete: false)
        #expect(state.answerBegins(isDelimited: true) == closing)
        #expect(state.faulted(.malformed) == .wait)
        #expect(state.answerEnds() == .close)
    }

    @Test("the interim answer is given once, to whoever waits for it and has sent nothing")
    func interim() {
        var state = asked(expectsContinue: true, isComplete: false)
        #expect(state.takesContinue() == true)
        #expect(state.takesContinue() == false)
        state = asked(isComplete: false)
        #expect(state.takesContinue() == false)
        state = asked(expectsContinue: true, isComplete: false)
        state.bodyArrived()
        #expect(state.takesContinue() == false)
        state = asked(2, expectsContinue: true, isComplete: false)
        #expect(state.takesContinue() == false, "the one before it is answered first")
        state = asked(expectsContinue: true, isComplete: false)
        _ = state.answerBegins(isDelimited: true)
        #expect(state.takesContinue() == false)
    }

    @Test("a server on its way down ends each connection with its next answer")
    func draining() {
        var state = asked()
        state.drain()
        #expect(state.answerBegins(isDelimited: true) == closing)
        #expect(state.answerEnds() == .close)
    }

    @Test("nothing is written on a connection that was turned away, nor twice for one request")
    func turnedAway() {
        var state = ExchangeState()
        state.refuseAll()
        #expect(state.answerBegins(isDelimited: true) == .drop)
        #expect(state.answerEnds() == .drop)
        state = asked()
        _ = state.answerBegins(isDelimited: true)
        #expect(state.answerBegins(isDelimited: true) == .drop)
    }
}
