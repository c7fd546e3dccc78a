internal import Dispatch
internal import Foundation
internal import Synchronization

/// A bounded number of threads for work that blocks on the disk, shared fairly.
///
/// Whatever waits does so on somebody's account. Accounts take turns, and one account has three quarters of the threads
/// at most, so that one with much to do waits behind itself and not in front of others.
public final class Workers: Sendable {
    public typealias Job = @Sendable () -> Void

    private let queue: Mutex<WorkerQueue>
    private let work = DispatchSemaphore(value: 0)
    private let ended = DispatchGroup()

    /// - Parameter count: Of threads. They are started when there is work for them, and stay until ``stop()``.
    public init(count: Int) {
        queue = Mutex(WorkerQueue(threads: count))
    }

    /// Runs a job when its account's turn has come. A job may not wait for another one.
    /// - Parameter isNext: A job calls this at its end. Its thread goes on with the new one itself, unless others wait.
    /// - Returns: false after ``stop()``: it will not be run.
    public func run(for account: String, isNext: Bool = false, _ job: @escaping Job) -> Bool {
        switch queue.withLock({ $0.add(job, for: account, isNext: isNext) }) {
        case .nothing: break
        case .wake: work.signal()
        case .start: start()
        case .tooLate: return false
        }
        return true
    }

    /// Does what was accepted, and ends the threads.
    public func stop() {
        let threads = queue.withLock { queue in
            queue.stop()
            return queue.started
        }
        for _ in 0..<threads { work.signal() }
        ended.wait()
    }

    private func start() {
        ended.enter()
        let thread = Thread { [self] in
            serve()
            ended.leave()
        }
        thread.name = "samtal-store"
        thread.start()
    }

    private func serve() {
        while true {
            switch queue.withLock({ $0.next() }) {
            case .job(let job, let account):
                job()
                queue.withLock { $0.finish(account) }
            case .wait: work.wait()
            case .end: return
            }
        }
    }
}

/// What waits for the workers, free of threads; the workers keep it in a `Mutex`.
struct WorkerQueue: Sendable {
    enum Need: Sendable, Equatable {
        case nothing, wake, start, tooLate
    }

    enum Next: Sendable {
        case job(Workers.Job, account: String)
        case wait
        case end
    }

    private struct Line: Sendable {
        var waiting: [Workers.Job] = []
        var running = 0
    }

    let threads: Int
    /// That one account has at most.
    let share: Int
    private(set) var started = 0
    private var idle = 0
    private var isStopping = false
    /// Of accounts with jobs that wait or run.
    private var lines: [String: Line] = [:]
    /// Accounts with jobs that wait, in the order of their turns.
    private var order: [String] = []

    init(threads: Int) {
        self.threads = max(threads, 1)
        share = max(self.threads * 3 / 4, 1)
    }

    /// - Parameter isNext: Whether a thread that runs a job will look for the next one at once.
    mutating func add(_ job: @escaping Workers.Job, for account: String, isNext: Bool = false) -> Need {
        if isStopping { return .tooLate }
        let isAlone = order.isEmpty
        if lines[account, default: Line()].waiting.isEmpty { order.append(account) }
        lines[account, default: Line()].waiting.append(job)
        // A thread that is woken would find that it was taken.
        if isNext, isAlone { return .nothing }
        if idle > 0 {
            idle -= 1
            return .wake
        }
        guard started < threads else { return .nothing }
        started += 1
        return .start
    }

    mutating func next() -> Next {
        guard let position = order.firstIndex(where: { lines[$0, default: Line()].running < share }) else {
            // Whoever runs a job asks for what is left.
            if isStopping { return .end }
            idle += 1
            return .wait
        }
        let account = order.remove(at: position)
        var line = lines.removeValue(forKey: account) ?? Line()
        let job = line.waiting.removeFirst()
        line.running += 1
        if !line.waiting.isEmpty { order.append(account) }
        lines[account] = line
        return .job(job, account: account)
    }

    /// A job has run. Its thread asks for the next one at once, so that nobody has to be woken for what waited for it.
    mutating func finish(_ account: String) {
        lines[account]?.running -= 1
        if lines[account]?.running == 0, lines[account]?.waiting.isEmpty == true { lines[account] = nil }
    }

    mutating func stop() {
        isStopping = true
        // All are woken, and none of them is waited for by whoever adds a job.
        idle = 0
    }
}
