internal import GRDB

/// One caller's write as the writer sees it, with the types of body and result erased.
///
/// Each is answered exactly once: `refuse` if its body never ran, else the closure that `run` returned.
struct PendingWrite: Sendable {
    /// Tells the caller how it ended: nil after COMMIT, or why the changes are not in the database.
    typealias Answer = @Sendable (StorageError?) -> Void

    enum Outcome {
        /// The body returned; its answer waits for COMMIT.
        case succeeded(Answer)
        /// The body threw; its answer gives the caller that error, whatever becomes of the others.
        case failed(any Error, Answer)

        var answer: Answer {
            switch self {
            case .succeeded(let answer), .failed(_, let answer): answer
            }
        }
    }

    var ticket: UInt64
    /// On whose account it waits; nil: on nobody's.
    var account: Int64?
    var run: @Sendable (inout WriteTransaction) -> Outcome
    var refuse: @Sendable (any Error) -> Void
}

/// What waits for the writer. Free of I/O; the store keeps it in a `Mutex`.
///
/// `open` ─close()→ `closing` ─last work done→ `closed`. Work that was accepted is always done.
struct WriteQueue: Sendable {
    enum Phase: Sendable, Equatable {
        case open, closing, closed
    }

    /// Something that needs the writer to itself, outside any transaction.
    struct Maintenance: Sendable {
        var run: @Sendable (Database) -> Void
        var refuse: @Sendable (any Error) -> Void
    }

    enum Work {
        case maintenance(Maintenance)
        case group([PendingWrite])
    }

    private(set) var phase = Phase.open
    private var writes: [PendingWrite] = []
    private var maintenance: [Maintenance] = []
    /// Whether a turn of the writer is scheduled or running; at most one is.
    private var isScheduled = false
    let writeLimit: Int
    let groupLimit: Int

    init(writeLimit: Int, groupLimit: Int) {
        self.writeLimit = max(writeLimit, 1)
        self.groupLimit = max(groupLimit, 1)
    }

    /// - Returns: Whether the caller must schedule a turn of the writer.
    mutating func add(_ write: PendingWrite) throws(StorageError) -> Bool {
        guard phase == .open else { throw .closed }
        guard writes.count < writeLimit else {
            throw StorageError(.overloaded, "too many writes are waiting", bound: .waitingWrites)
        }
        guard admits(write.account) else {
            throw StorageError(
                .overloaded, "too many writes on one account are waiting", bound: .waitingWritesOfAccount)
        }
        writes.append(write)
        return schedule()
    }

    /// The last quarter of the queue is for accounts that have an eighth of it waiting at most, so that one with a burst does
    /// not have the others refused. Counted only when it matters: the queue is hardly ever that long.
    private func admits(_ account: Int64?) -> Bool {
        guard let account, writes.count * 4 >= writeLimit * 3 else { return true }
        return writes.count { $0.account == account } < max(writeLimit / 8, 1)
    }

    /// - Returns: Whether the caller must schedule a turn of the writer.
    mutating func add(_ work: Maintenance) throws(StorageError) -> Bool {
        guard phase == .open else { throw .closed }
        maintenance.append(work)
        return schedule()
    }

    /// Takes a write back whose body has not begun.
    mutating func remove(ticket: UInt64) -> PendingWrite? {
        guard let index = writes.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return writes.remove(at: index)
    }

    /// The next turn's work; maintenance first, so that a stream of writes can't keep erasure waiting.
    mutating func next() -> Work? {
        if !maintenance.isEmpty { return .maintenance(maintenance.removeFirst()) }
        guard !writes.isEmpty else { return nil }
        let group = Array(writes.prefix(groupLimit))
        writes.removeFirst(group.count)
        return .group(group)
    }

    /// - Returns: Whether there is work for another turn. If not, the next `add` schedules one.
    mutating func finishTurn() -> Bool {
        isScheduled = !writes.isEmpty || !maintenance.isEmpty
        return isScheduled
    }

    var waitingWrites: Int { writes.count }

    /// Whether nothing waits and no turn is scheduled.
    var isIdle: Bool { !isScheduled }

    mutating func beginClosing() {
        if phase == .open { phase = .closing }
    }

    mutating func finishClosing() {
        phase = .closed
    }

    private mutating func schedule() -> Bool {
        defer { isScheduled = true }
        return !isScheduled
    }
}

extension StorageError {
    static let closed = StorageError(.closed, "the database is closed")
}
