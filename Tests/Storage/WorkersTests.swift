import Foundation
import Synchronization
import Testing

@testable import Storage

@Suite("Threads that many share")
struct WorkersTests {
    /// The accounts in the order in which their jobs are given to one thread.
    private func order(_ queue: inout WorkerQueue) -> [String] {
        var order: [String] = []
        while case .job(_, let account) = queue.next() {
            order.append(account)
            queue.finish(account)
        }
        return order
    }

    @Test("accounts take turns, however much one of them wants")
    func turns() {
        var queue = WorkerQueue(threads: 1)
        for account in ["a", "a", "a", "a", "b", "c", "b"] { _ = queue.add({}, for: account) }
        #expect(order(&queue) == ["a", "b", "c", "a", "b", "a", "a"])
    }

    @Test("one account has three quarters of the threads at most, and the rest is for others")
    func share() {
        var queue = WorkerQueue(threads: 8)
        for _ in 0..<20 { _ = queue.add({}, for: "a") }
        var running = 0
        while case .job = queue.next() { running += 1 }
        #expect(running == 6)
        _ = queue.add({}, for: "b")
        if case .job(_, let account) = queue.next() {
            #expect(account == "b")
        } else {
            Issue.record("nobody else's job is run")
        }
        queue.finish("a")
        if case .job(_, let account) = queue.next() {
            #expect(account == "a")
        } else {
            Issue.record("a thread that is free again stands idle")
        }
    }

    @Test("threads are started for work that waits, woken before others are started, and never more than there may be")
    func threads() {
        var queue = WorkerQueue(threads: 2)
        #expect(queue.add({}, for: "a") == .start)
        #expect(queue.add({}, for: "b") == .start)
        #expect(queue.add({}, for: "c") == .nothing)
        #expect(order(&queue) == ["a", "b", "c"])
        // The one that asked last waits now.
        #expect(queue.add({}, for: "d") == .wake)
        #expect(queue.add({}, for: "e") == .nothing)
    }

    @Test("a thread goes on with what its job leaves behind, and wakes nobody for it unless others wait")
    func goingOn() {
        var queue = WorkerQueue(threads: 2)
        #expect(queue.add({}, for: "a") == .start)
        #expect(queue.add({}, for: "a") == .start)
        #expect(order(&queue) == ["a", "a"])
        // One thread waits, the other runs a job that adds its next.
        #expect(queue.add({}, for: "a", isNext: true) == .nothing)
        #expect(queue.add({}, for: "b", isNext: true) == .wake)
        #expect(order(&queue) == ["a", "b"])
        queue.stop()
        #expect(queue.add({}, for: "a", isNext: true) == .tooLate)
    }

    @Test("stopping does what was accepted, and takes nothing more")
    func stopping() async {
        let workers = Workers(count: 3)
        let done = Mutex(0)
        for number in 0..<300 {
            #expect(workers.run(for: "account \(number % 7)") { done.withLock { $0 += 1 } })
        }
        await withUnsafeContinuation { continuation in
            DispatchQueue(label: "test").async {
                workers.stop()
                continuation.resume()
            }
        }
        #expect(done.withLock { $0 } == 300)
        #expect(!workers.run(for: "late") { done.withLock { $0 += 1 } })
        #expect(done.withLock { $0 } == 300)
    }
}
