import RPC
import ServiceKit
import Synchronization
import Testing

@Suite("Whose turn it is")
struct TurnsTests {
    private final class Record: Sendable {
        let order = Mutex<[String]>([])

        func note(_ name: String) { order.withLock { $0.append(name) } }
    }

    private func eventually(_ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !condition(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition())
    }

    @Test("who wants much waits behind themselves: another organisation is next, however many wait before it")
    func turns() async throws {
        let turns = Turns(width: 1)
        let record = Record()
        let (gate, open) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            func add(_ organisation: String, waitsFor gate: AsyncStream<Void>? = nil) {
                group.addTask {
                    try await turns.take([organisation]) {
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

    /// Someone who has the turn when this returns, and keeps it until the gate opens.
    private func holding(_ turns: Turns, until gate: AsyncStream<Void>) async -> Task<Void, any Error> {
        let (taken, took) = AsyncStream<Void>.makeStream()
        let holder = Task {
            try await turns.take(["north"]) {
                took.finish()
                for await _ in gate {}
            }
        }
        for await _ in taken {}
        return holder
    }

    @Test("one that is cancelled while it waits leaves its line, and the others go on")
    func cancelled() async throws {
        let turns = Turns(width: 1)
        let record = Record()
        let (gate, open) = AsyncStream<Void>.makeStream()
        let first = await holding(turns, until: gate)
        let second = Task { try await turns.take(["south"]) { record.note("south") } }
        try await eventually { turns.waiting == 1 }
        let third = Task { try await turns.take(["south"]) { record.note("third") } }
        try await eventually { turns.waiting == 2 }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        open.finish()
        try await first.value
        try await third.value
        #expect(record.order.withLock { $0 } == ["third"])
    }

    @Test("on each level of their paths callers take turns, and at the end the first to come is first")
    func levels() async throws {
        let turns = Turns(width: 1)
        let record = Record()
        let (gate, open) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (taken, took) = AsyncStream<Void>.makeStream()
            group.addTask {
                try await turns.take(["hall", "first"]) {
                    took.finish()
                    for await _ in gate {}
                }
            }
            for await _ in taken {}
            // One address with two tokens, of which one wants three times as much, and another address.
            let calls = [["hall", "a"], ["hall", "a"], ["hall", "a"], ["hall", "b"], ["home", "c"]]
            for (number, path) in calls.enumerated() {
                group.addTask { try await turns.take(path) { record.note("\(path[1])\(number)") } }
                try await eventually { turns.waiting == number + 1 }
            }
            open.finish()
            try await group.waitForAll()
        }
        #expect(record.order.withLock { $0 } == ["a0", "c4", "b3", "a1", "a2"])
    }

    @Test("one that waits until its deadline is told so, and whoever waits behind it goes on")
    func late() async throws {
        let turns = Turns(width: 1)
        let (gate, open) = AsyncStream<Void>.makeStream()
        let first = await holding(turns, until: gate)
        for deadline in [ContinuousClock.now, .now + .milliseconds(20)] {
            let error = await #expect(throws: RPCError.self) { try await turns.take(["north"], until: deadline) {} }
            #expect(error?.code == .deadlineExceeded && error?.reason == "TURN_TIMEOUT")
        }
        #expect(turns.waiting == 0)
        let last = Task { try await turns.take(["north"], until: .now + .seconds(60)) { "done" } }
        try await eventually { turns.waiting == 1 }
        open.finish()
        try await first.value
        #expect(try await last.value == "done")
    }
}
