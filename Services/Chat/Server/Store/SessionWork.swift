internal import ChatCore
internal import Storage

/// What one caller wants of a session's file, with the types of body and result erased. Answered exactly once: `refuse` if
/// it never ran, else what `run` returned, which is told why nothing was stored.
struct SessionWork: Sendable {
    typealias Answer = @Sendable ((any Error)?, Others?) -> Void

    /// What a caller goes on with.
    struct Outcome<T: Sendable>: Sendable {
        let result: Result<T, any Error>
        /// Who shared its turn and waits to be told by it.
        let others: Others?
    }

    /// Callers whose work ran in the same turn. The first of them is woken, and wakes the others where it goes on: waking
    /// one from another thread costs more than all else that is done for it.
    struct Others: Sendable {
        fileprivate let answers: ArraySlice<Answer>
        fileprivate let failure: (any Error)?

        func wake() {
            for answer in answers { answer(failure, nil) }
        }
    }

    let run: @Sendable (SessionContent) -> Answer
    let refuse: @Sendable (any Error) -> Void
}

extension SessionWork {
    /// - Parameter body: Throws a ``ChatError`` only before it has stored anything.
    init<T: Sendable>(
        _ continuation: UnsafeContinuation<Outcome<T>, Never>, _ body: @escaping @Sendable (SessionContent) throws -> T
    ) {
        refuse = { continuation.resume(returning: Outcome(result: .failure($0), others: nil)) }
        run = { content in
            let result: Result<T, any Error>
            do {
                result = .success(try body(content))
            } catch let error as ChatError {
                return { _, others in
                    continuation.resume(returning: Outcome(result: .failure(error), others: others))
                }
            } catch {
                let error = StorageError.translated(error)
                content.fail(error)
                result = .failure(error)
            }
            return { failure, others in
                let result = failure.map { .failure($0) } ?? result
                continuation.resume(returning: Outcome(result: result, others: others))
            }
        }
    }

    /// Tells callers how their transaction ended.
    static func answer(_ answers: [Answer], _ failure: (any Error)?) {
        guard let first = answers.first else { return }
        first(failure, answers.count > 1 ? Others(answers: answers.dropFirst(), failure: failure) : nil)
    }
}

/// Something that needs a session's files to itself.
struct LoneWork: Sendable {
    let run: @Sendable () -> Void
    let refuse: @Sendable (any Error) -> Void
}

/// What waits for one session's turn. Free of I/O; the session keeps it in a `Mutex`.
///
/// A session is scheduled at most once, and runs at most once at a time.
struct SessionQueue: Sendable {
    /// Writes that share a transaction, and reads in one turn: then others have theirs.
    static let writesInTurn = 512
    static let readsInTurn = 16
    /// Writes that are not kept waiting for more to share their transaction.
    static let writesWorthATurn = 32

    /// What the caller who adds a write does next.
    enum Need: Sendable, Equatable {
        case nothing
        /// Schedule a turn.
        case turn
        /// Call ``endGathering()`` once the calls that were read together have begun.
        case gathering
    }

    enum Turn: Sendable {
        case alone(LoneWork)
        case work(writes: [SessionWork], reads: [SessionWork])
    }

    private var alone: [LoneWork] = []
    private var writes: [SessionWork] = []
    private var reads: [SessionWork] = []
    /// Whether somebody will schedule a turn for the writes that wait.
    private var isGathering = false
    private var isScheduled = false
    private var isRunning = false
    /// Why nothing more is taken.
    var refusal: (any Error)?
    /// Whether it is out of use, and another takes its place.
    private(set) var isRetired = false

    var isEmpty: Bool { alone.isEmpty && writes.isEmpty && reads.isEmpty }
    var waiting: Int { writes.count + reads.count }

    mutating func add(write: SessionWork) -> Need {
        writes.append(write)
        guard !isScheduled, !isRunning else { return .nothing }
        if writes.count >= SessionQueue.writesWorthATurn { return schedule() ? .turn : .nothing }
        defer { isGathering = true }
        return isGathering ? .nothing : .gathering
    }

    /// - Returns: Whether the caller must schedule a turn.
    mutating func endGathering() -> Bool { isGathering && schedule() }

    /// - Returns: Whether the caller must schedule a turn.
    mutating func add(read: SessionWork) -> Bool {
        reads.append(read)
        return schedule()
    }

    mutating func add(alone work: LoneWork) -> Bool {
        alone.append(work)
        return schedule()
    }

    private mutating func schedule() -> Bool {
        guard !isScheduled, !isRunning else { return false }
        (isGathering, isScheduled) = (false, true)
        return true
    }

    /// A scheduled turn begins.
    /// - Returns: nil if somebody else is at the files; they see to what waits when they are done.
    mutating func begin() -> Turn? {
        isScheduled = false
        guard !isRunning, !isEmpty else { return nil }
        isRunning = true
        if !alone.isEmpty { return .alone(alone.removeFirst()) }
        let turn = Turn.work(
            writes: Array(writes.prefix(SessionQueue.writesInTurn)),
            reads: Array(reads.prefix(SessionQueue.readsInTurn)))
        writes.removeFirst(min(writes.count, SessionQueue.writesInTurn))
        reads.removeFirst(min(reads.count, SessionQueue.readsInTurn))
        return turn
    }

    /// - Returns: Whether the files may be closed by somebody who came by; they then ``end(isOpen:)``.
    mutating func beginClosing() -> Bool {
        guard !isRunning else { return false }
        isRunning = true
        return true
    }

    /// - Parameter isOpen: Whether the files are still open. If not, and nothing waits, it is retired.
    /// - Returns: Whether the caller must schedule a turn.
    mutating func end(isOpen: Bool) -> Bool {
        isRunning = false
        if !isEmpty { return schedule() }
        // What is refused for good is remembered.
        if !isOpen, refusal == nil { isRetired = true }
        return false
    }

    /// Takes nothing more, and what waits back.
    mutating func refuse(_ error: any Error) -> [SessionWork] {
        refusal = error
        defer { (writes, reads) = ([], []) }
        return writes + reads
    }
}

extension SessionQueue {
    /// There will be no more turns: takes all back that waits for one.
    mutating func stop(_ error: any Error) -> (works: [SessionWork], alone: [LoneWork]) {
        defer { alone = [] }
        return (refuse(error), alone)
    }
}
