internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Runs the tasks of one event loop's calls on that loop, and ends each turn of the loop with a write for each connection.
///
/// A handler starts inside the read that brought its request (`Task.immediate`), and whatever it waits for resumes
/// here: a call never leaves its thread, and all that was answered during a turn goes out together at its end.
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    // Unchecked: `jobs`, `flushes`, `gathered` and the two flags are touched on `eventLoop` alone; `remote` has a mutex.

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
    /// What is to be done once all that was read in this turn is under way.
    @exclusivity(unchecked) private var gathered: [@Sendable () -> Void] = []
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
        if LoopExecutor.onThread.currentValue !== self { LoopExecutor.onThread.currentValue = self }
        isInTurn = true
    }

    /// Runs what is ready and lets each connection that has something to send write it.
    func finishTurn() {
        beginTurn()
        var budget = LoopExecutor.maxJobsPerTurn
        repeat {
            while budget > 0, let job = jobs.popFirst() {
                job.runSynchronously(on: asUnownedTaskExecutor())
                budget -= 1
            }
            handOverGathered()
            flushAll()
        } while budget > 0 && !jobs.isEmpty
        isInTurn = false
        if !jobs.isEmpty { scheduleTurn() }
    }

    /// The executor whose turn it is on the calling thread.
    fileprivate static var inTurn: LoopExecutor? {
        guard let executor = onThread.currentValue, executor.isInTurn else { return nil }
        return executor
    }

    private static let onThread = ThreadSpecificVariable<LoopExecutor>()

    fileprivate func gather(_ body: @escaping @Sendable () -> Void) { gathered.append(body) }

    private func handOverGathered() {
        while !gathered.isEmpty {
            let due = gathered
            gathered.removeAll(keepingCapacity: true)
            for body in due { body() }
        }
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

/// The turn of an event loop that a call is served in.
public enum LoopTurn {
    /// Runs something once all calls that were read in this turn have begun; at once on a thread that is in no turn.
    ///
    /// For what is cheaper for many calls together, such as waking another thread. It must not block.
    public static func whenGathered(_ body: @escaping @Sendable () -> Void) {
        if let executor = LoopExecutor.inTurn {
            executor.gather(body)
        } else {
            body()
        }
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
