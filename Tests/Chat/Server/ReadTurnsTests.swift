import Synchronization
import Testing

@testable import ChatServer

@Suite("Whose turn it is to read")
struct ReadTurnsTests {
    private final class Record: Sendable {
        let order = Mutex<[String]>([])
        let waiting = Mutex(0)

        func note(_ name: String) { order.withLock { $0.append(name) } }
    }

    private func eventually(_ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !condition(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition())
    }

    @Test("who reads much waits behind themselves: another organisation is next, however many wait before it")
    func turns() async throws {
        let turns = ReadTurns(width: 1)
        let record = Record()
        let (gate, open) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            func add(_ organisation: String, waitsFor gate: AsyncStream<Void>? = nil) {
                group.addTask {
                    try await turns.take(organisation) {
                        record.note(organisation)
                        if let gate { for await _ in gate {} }
                    }
                }
            }
            add("north", waitsFor: gate)
            try await eventually { record.order.withLock { $0.count } == 1 }
            for count in 1...50 {
                add("north")
                try await eventually { turns.waiting == count }
            }
            add("south")
            try await eventually { turns.waiting == 51 }
            open.finish()
            try await group.waitForAll()
        }
        let order = record.order.withLock { $0 }
        #expect(order.count == 52)
        #expect(order.prefix(3).contains("south"))
        #expect(turns.waiting == 0)
    }

    @Test("one that is cancelled while it waits leaves its line, and the others go on")
    func cancelled() async throws {
        let turns = ReadTurns(width: 1)
        let record = Record()
        let (gate, open) = AsyncStream<Void>.makeStream()
        let first = Task { try await turns.take("north") { for await _ in gate {} } }
        let second = Task { try await turns.take("south") { record.note("south") } }
        try await eventually { turns.waiting == 1 }
        let third = Task { try await turns.take("south") { record.note("third") } }
        try await eventually { turns.waiting == 2 }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        open.finish()
        try await first.value
        try await third.value
        #expect(record.order.withLock { $0 } == ["third"])
    }
}
