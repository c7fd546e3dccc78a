import NIOCore
import Testing

@testable import RPC

@Suite("What a stream has still to send")
struct OutboundQueueTests {
    /// Messages of these sizes, each of bytes that tell where it begins and how far it is.
    private func message(_ size: Int, _ number: Int) -> ByteBuffer {
        ByteBuffer(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) })
    }

    private func takeBytes(_ queue: inout OutboundQueue, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { target, taken in
            taken = target.baseAddress.map { queue.take(into: $0, upTo: count) } ?? 0
        }
    }

    @Test(
        "everything comes out in order, however it is taken",
        arguments: [
            [10], [10, 20, 30], [5000, 10, 10, 9000, 20_000, 3], [10, 5000, 10, 5000, 10], [4096, 4095, 4096],
        ])
    func keepsOrder(sizes: [Int]) {
        for step in [1, 7, 4096, 1_000_000] {
            var queue = OutboundQueue()
            var expected: [UInt8] = []
            for (number, size) in sizes.enumerated() {
                let message = message(size, number)
                queue.append(message)
                expected += message.readableBytesView
                #expect(queue.count == expected.count)
            }
            var found: [UInt8] = []
            while !queue.isEmpty {
                found += takeBytes(&queue, step)
                #expect(queue.count == expected.count - found.count)
            }
            #expect(found == expected)
            #expect(takeBytes(&queue, 10).isEmpty)
        }
    }

    @Test("messages may be added while others are taken")
    func takesWhileAdding() {
        var queue = OutboundQueue()
        var expected: [UInt8] = []
        var found: [UInt8] = []
        for number in 0..<500 {
            let message = message(number * 37 % 9000 + 1, number)
            queue.append(message)
            expected += message.readableBytesView
            found += takeBytes(&queue, 4000)
        }
        while !queue.isEmpty { found += takeBytes(&queue, 16_384) }
        #expect(found == expected)
    }

    @Test("a shared message is sent from where it is, and stays as it was")
    func sharesMessages() {
        let shared = message(100_000, 1)
        let expected = Array(shared.readableBytesView)
        let address = shared.withUnsafeReadableBytes { $0.baseAddress }
        var queues = (0..<3).map { _ in OutboundQueue() }
        for index in queues.indices {
            queues[index].append(message(10, 0))
            queues[index].append(shared)
            queues[index].append(message(10, 2))
            queues[index].append(shared)
        }
        for index in queues.indices {
            #expect(takeBytes(&queues[index], 10) == Array(message(10, 0).readableBytesView))
            #expect(takeBytes(&queues[index], 100_000) == expected)
            #expect(takeBytes(&queues[index], 10) == Array(message(10, 2).readableBytesView))
            #expect(takeBytes(&queues[index], 200_000) == expected)
            #expect(queues[index].isEmpty)
        }
        #expect(shared.withUnsafeReadableBytes { $0.baseAddress } == address)
        #expect(Array(shared.readableBytesView) == expected)
    }

    @Test("a message that waits on many streams is in memory once")
    func keepsSharedMessagesOnce() throws {
        let shared = ByteBuffer(repeating: 1, count: 1_000_000)
        try HighestMemory.forget()
        let before = try HighestMemory.read()
        var queues = (0..<200).map { _ in OutboundQueue() }
        for index in queues.indices {
            for _ in 0..<3 {
                queues[index].append(message(100, 0))
                queues[index].append(shared)
            }
        }
        let grown = try HighestMemory.read() - before
        #expect(queues.allSatisfy { $0.count == 3_000_300 })
        // Six hundred million bytes are to be sent; the tests that run meanwhile take some.
        #expect(grown < 100_000_000)
    }

    @Test("nothing is left of a queue that was given up, nor of empty messages")
    func empties() {
        var queue = OutboundQueue()
        queue.append(ByteBuffer())
        #expect(queue.isEmpty)
        for number in 0..<4 { queue.append(message(5000, number)) }
        queue.removeAll()
        #expect(queue.isEmpty)
        #expect(queue.count == 0)
        queue.append(message(3, 1))
        #expect(takeBytes(&queue, 10) == Array(message(3, 1).readableBytesView))
    }
}
