internal import ChatCore
internal import Storage

/// What one caller wants of a session's file, with the types of body and result erased. Answered exactly once: `refuse` if
/// it never ran, else what `run` returned, which is told why nothing was stored.
struct SessionWork: Sendable {
    typealias Answer = @Sendable ((any Error)?) -> Void

    let run: @Sendable (SessionContent) -> Answer
    let refuse: @Sendable (any Error) -> Void

    /// - Parameter body: Throws a ``ChatError`` only before it has stored anything.
    init<T: Sendable>(
        _ continuation: UnsafeContinuation<T, any Error>, _ body: @escaping @Sendable (SessionContent) throws -> T
    ) {
        refuse = { continuation.resume(throwing: $0) }
        run = { content in
            do {
                let value = try body(content)
                return { failure in
                    if let failure {
                        continuation.resume(throwing: failure)
                    } else {
                        continuation.resume(returning: value)
                    }
                }
            } catch let error as ChatError {
                return { _ in continuation.resume(throwing: error) }
            } catch {
                let error = StorageError.translated(error)
                content.fail(error)
                return { _ in continuation.resume(throwing: error) }
            }
        }
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

    enum Turn: Sendable {
        case alone(LoneWork)
        case work(writes: [SessionWork], reads: [SessionWork])
    }

    private var alone: [LoneWork] = []
    private var writes: [SessionWork] = []
    private var reads: [SessionWork] = []
    private var isScheduled = false
    private var isRunning = false
    /// Why nothing more is taken.
    var refusal: (any Error)?
    /// Whether it is out of use, and another takes its place.
    private(set) var isRetired = false

    var isEmpty: Bool { alone.isEmpty && writes.isEmpty && reads.isEmpty }
    var waiting: Int { writes.count + reads.count }

    /// - Returns: Whether the caller must schedule a turn.
    mutating func add(write: SessionWork) -> Bool {
        writes.append(write)
        return schedule()
    }

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
        isScheduled = true
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
