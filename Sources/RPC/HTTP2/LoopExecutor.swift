internal import NIOCore
internal import Synchronization

/// Runs the tasks of one event loop's calls on that loop, and ends each turn of the loop with a write for each connection.
///
/// A handler starts inside the read that brought its request (`Task.immediate`), and whatever it waits for resumes
/// here: a call never leaves its thread, and all that was answered during a turn goes out together at its end.
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    // Unchecked: `jobs`, `flushes` and the two flags are touched on `eventLoop` alone; `remote` has a mutex.

    /// Work handed over by other threads.
    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Remote {
        var work: [Work] = []
        var isScheduled = false
    }

    /// Jobs run in one turn before the loop looks at its sockets again.
    private static let maxJobsPerTurn = 4096

    let eventLoop: any EventLoop
    /// What the sessions of the loop have their small objects from.
    let sessionMemory = SessionMemory()
    @exclusivity(unchecked) private var jobs = CircularBuffer<UnownedJob>(initialCapacity: 64)
    @exclusivity(unchecked) private var flushes: [any TurnEnd] = []
    private var isInTurn = false
    private var isTurnScheduled = false
    private let remote = Mutex(Remote())

    private init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if eventLoop.inEventLoop {
            jobs.append(job)
            scheduleTurn()
        } else {
            handOver(.job(job))
        }
    }

    /// Runs `body` on the event loop: at once when already there, otherwise soon, in the order of the calls.
    func perform(_ body: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop {
            body()
        } else {
            handOver(.call(body))
        }
    }

    /// Marks the start of a read: what is enqueued from now on runs in ``finishTurn()`` without being scheduled.
    func beginTurn() {
        isInTurn = true
    }

    /// Runs what is ready and lets each connection that has something to send write it.
    func finishTurn() {
        isInTurn = true
        var budget = LoopExecutor.maxJobsPerTurn
        repeat {
            while budget > 0, let job = jobs.popFirst() {
                job.runSynchronously(on: asUnownedTaskExecutor())
                budget -= 1
            }
            flushAll()
        } while budget > 0 && !jobs.isEmpty
        isInTurn = false
        if !jobs.isEmpty { scheduleTurn() }
    }

    /// Has the connection write at the end of this turn. It calls once per turn.
    func flushAtTurnEnd(_ connection: any TurnEnd) {
        flushes.append(connection)
        scheduleTurn()
    }

    private func flushAll() {
        while !flushes.isEmpty {
            let due = flushes
            flushes.removeAll(keepingCapacity: true)
            for connection in due { connection.turnEnded() }
        }
    }

    private func scheduleTurn() {
        guard !isInTurn else { return }
        finishTurnSoon()
    }

    /// Has the turn end although nobody may come to call ``finishTurn()``: a connection that closes while it is being
    /// read from doesn't hear of the end of that read.
    func finishTurnSoon() {
        guard !isTurnScheduled else { return }
        isTurnScheduled = true
        eventLoop.execute {
            self.isTurnScheduled = false
            self.finishTurn()
        }
    }

    private func handOver(_ work: Work) {
        let wasScheduled = remote.withLock { remote in
            remote.work.append(work)
            defer { remote.isScheduled = true }
            return remote.isScheduled
        }
        if !wasScheduled { eventLoop.execute { self.takeOver() } }
    }

    private func takeOver() {
        let work = remote.withLock { remote in
            defer { remote = Remote() }
            return remote.work
        }
        beginTurn()
        for item in work {
            switch item {
            case .job(let job): jobs.append(job)
            case .call(let body): body()
            }
        }
        finishTurn()
    }
}

/// A connection, as the executor sees it.
protocol TurnEnd: AnyObject {
    /// The turn is over: write what there is to write.
    func turnEnded()
}

extension LoopExecutor {
    private struct WeakReference: Sendable {
        weak var executor: LoopExecutor?
    }

    private static let registry = Mutex<[ObjectIdentifier: WeakReference]>([:])

    /// The one executor of an event loop: servers and channels that share a loop share its turns.
    static func shared(for eventLoop: any EventLoop) -> LoopExecutor {
        registry.withLock { registry in
            // An identifier can't be of another loop while its executor lives: the executor holds the loop.
            if let found = registry[ObjectIdentifier(eventLoop)]?.executor { return found }
            registry = registry.filter { $0.value.executor != nil }
            let made = LoopExecutor(eventLoop: eventLoop)
            registry[ObjectIdentifier(eventLoop)] = WeakReference(executor: made)
            return made
        }
    }
}
