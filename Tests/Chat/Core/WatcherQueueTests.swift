import ChatCore
import Testing

@Suite("What waits for a watcher")
struct WatcherQueueTests {
    @Test("comes in order and once")
    func order() throws {
        var queue = WatcherQueue<Int>(capacity: 3)
        #expect(queue.isEmpty)
        queue.offer(1)
        queue.offer(2)
        #expect(!queue.isEmpty)
        #expect(try queue.takeAll() == [1, 2])
        #expect(try queue.takeAll() == [])
        queue.offer(3)
        #expect(try queue.takeAll() == [3])
    }

    @Test("up to its capacity; one more ends it with resume, and what waited is dropped")
    func overflow() {
        var queue = WatcherQueue<Int>(capacity: 2)
        queue.offer(1)
        queue.offer(2)
        #expect(queue.ending == nil)
        queue.offer(3)
        #expect(queue.ending == .resume)
        #expect(queue.isEmpty)
        #expect(throws: ChatError.resume) { try queue.takeAll() }
    }

    @Test("a watcher that keeps up is never cut, however much comes")
    func keepingUp() throws {
        var queue = WatcherQueue<Int>(capacity: 2)
        for round in 0..<1_000 {
            queue.offer(round)
            queue.offer(round)
            #expect(try queue.takeAll() == [round, round])
        }
        #expect(queue.ending == nil)
    }

    @Test("the first reason for an end stands, and nothing comes after it")
    func end() {
        var queue = WatcherQueue<Int>(capacity: 2)
        queue.offer(1)
        queue.end(.sessionNotFound)
        queue.end(.resume)
        queue.offer(2)
        #expect(queue.isEmpty)
        #expect(throws: ChatError.sessionNotFound) { try queue.takeAll() }
        #expect(throws: ChatError.sessionNotFound) { try queue.takeAll() }
    }
}

@Suite("Trying again")
struct RetryDelayTests {
    @Test("doubles from a second to a minute, and starts over after a success")
    func growth() {
        var delay = RetryDelay()
        let waits = (0..<9).map { _ in delay.next(jitter: 1) }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { Duration.seconds($0) })
        delay.succeed()
        #expect(delay.next(jitter: 1) == .seconds(1))
    }

    @Test("jitter takes away at most a half", arguments: [-1.0, 0, 0.25, 1, 7])
    func jitter(value: Double) {
        var delay = RetryDelay()
        let wait = delay.next(jitter: value)
        #expect(wait >= .milliseconds(500))
        #expect(wait <= .seconds(1))
    }
}
