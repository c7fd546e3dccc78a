import Testing

@testable import ChatServer

@Suite("What waits for a session's turn")
struct SessionQueueTests {
    private static let work = SessionWork(run: { _ in { _, _ in } }, refuse: { _ in })

    /// How many writes the next turn has; nil: there is none.
    private func begin(_ queue: inout SessionQueue) -> Int? {
        if case .work(let writes, _) = queue.begin() { writes.count } else { nil }
    }

    @Test("writes that come together share a turn, for which one of their callers sees")
    func gathering() {
        var queue = SessionQueue()
        #expect(queue.add(write: Self.work) == .gathering)
        #expect(queue.add(write: Self.work) == .nothing)
        #expect(queue.endGathering() == true)
        #expect(queue.add(write: Self.work) == .nothing)
        #expect(begin(&queue) == 3)
        // What comes during a turn has the next one, which the end of the first one begins.
        #expect(queue.add(write: Self.work) == .nothing)
        #expect(queue.endGathering() == false)
        #expect(queue.end(isOpen: true) == true)
        #expect(begin(&queue) == 1)
        #expect(queue.end(isOpen: true) == false)
        #expect(queue.add(write: Self.work) == .gathering)
    }

    @Test("so many writes are not kept waiting for more")
    func manyWrites() {
        var queue = SessionQueue()
        #expect(queue.add(write: Self.work) == .gathering)
        for _ in 2..<SessionQueue.writesWorthATurn { #expect(queue.add(write: Self.work) == .nothing) }
        #expect(queue.add(write: Self.work) == .turn)
        #expect(queue.add(write: Self.work) == .nothing)
        #expect(queue.endGathering() == false)
        #expect(begin(&queue) == SessionQueue.writesWorthATurn + 1)
    }

    @Test("a read takes the writes that wait into its turn")
    func reading() {
        var queue = SessionQueue()
        #expect(queue.add(write: Self.work) == .gathering)
        #expect(queue.add(read: Self.work) == true)
        #expect(queue.endGathering() == false)
        #expect(begin(&queue) == 1)
    }

    @Test("what is gathered is refused with the rest")
    func refusing() {
        var queue = SessionQueue()
        #expect(queue.add(write: Self.work) == .gathering)
        #expect(queue.refuse(CancellationError()).count == 1)
        #expect(queue.isEmpty)
        if queue.endGathering() { #expect(begin(&queue) == nil) }
    }
}
