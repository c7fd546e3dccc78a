import NIOCore
import NIOPosix
import Testing

@testable import RPC

@Suite("Turns of an event loop")
struct LoopTurnTests {
    @Test("what is to be done for many calls together is done once all of a turn have begun")
    func gathering() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let order = NIOLoopBoundBox.makeBoxSendingValue([String](), eventLoop: loop)
        let seen = try await loop.submit {
            let executor = LoopExecutor.shared(for: loop)
            executor.beginTurn()
            LoopTurn.whenGathered { order.value.append("together") }
            order.value += ["first", "second"]
            executor.finishTurn()
            LoopTurn.whenGathered { order.value.append("at once") }
            return order.value
        }.get()
        #expect(seen == ["first", "second", "together", "at once"])
    }

    @Test("on any other thread it is done at once")
    func outside() async {
        await confirmation { done in LoopTurn.whenGathered { done() } }
    }
}
