import NIOCore
import Testing

@testable import RPC

@Suite("What a client keeps in order to repeat a call")
struct ClientRepeatingTests {
    private func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: count) }

    @Test("requests are closed once the last is said and none waits, and then only", arguments: [false, true])
    func closesRequests(isOver: Bool) {
        var single = ClientCallState()
        #expect(!single.takesRequests)
        #expect(single.finished() == false)
        #expect(single.requestsLeft() == false)

        var state = ClientCallState(requests: .open)
        _ = state.opened()
        if isOver { _ = state.ended() }
        #expect(state.takesRequests == !isOver)
        #expect(state.requestsLeft() == false)
        #expect(state.finished() == !isOver)
        #expect(state.finished() == false)
        #expect(!state.takesRequests)
        #expect(state.requestsLeft() == !isOver)
        #expect(state.requestsLeft() == false)
        #expect(state.requests == (isOver ? .open : .closed))
    }

    @Test("a call that ends while its last request waits sends no more")
    func endsWhileClosing() {
        var state = ClientCallState(requests: .open)
        _ = state.opened()
        #expect(state.finished() == true)
        #expect(state.abandoned() == .reset)
        #expect(state.requestsLeft() == false)
        #expect(state.requests == .closing)
    }

    @Test("the log keeps 64 KiB and one message, and nothing of a call that said more")
    func boundsLog() {
        var log = RequestLog()
        log.append(bytes(RequestLog.limit - 1))
        log.append(bytes(1_000_000))
        #expect(log.isWhole && log.messages.count == 2)
        log.append(bytes(1))
        #expect(!log.isWhole && log.messages.isEmpty)
        log.append(bytes(1))
        #expect(!log.isWhole && log.messages.isEmpty)
        #expect(log.finish() == true)
        #expect(log.finish() == false)
        #expect(log.isFinished)
    }

    @Test("the log of a call of one request is finished, whatever its size")
    func keepsSingleRequest() {
        var log = RequestLog(complete: bytes(1_000_000))
        #expect(log.isWhole && log.isFinished && log.messages.count == 1)
        log.drop()
        #expect(!log.isWhole && log.isFinished && log.messages.isEmpty)
    }
}
