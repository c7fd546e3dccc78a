internal import ChatCore
internal import GRDB
internal import Synchronization

/// What the writer must know of a session for every question, kept so that asking reads nothing from the database.
///
/// Changed only by bodies of writes, which run one after the other; what a body counts may still be rolled back, and then
/// the session is forgotten and read again, inside the next body's transaction.
final class SessionCounters: Sendable {
    /// Sessions that are kept; above it all are forgotten, which costs each its next reading.
    private static let capacity = 10_000

    private struct State: Sendable {
        var counts: [Int64: SessionCount] = [:]
        /// Counts the times that something was forgotten: a count handed out before must not come back after.
        var epoch: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Hands out the session's count to be changed and given back with ``keep(_:for:)``. It is not kept here meanwhile, so
    /// that changing it copies nothing; if it does not come back it is read anew.
    /// - Throws: ``ChatError/sessionNotFound`` if the session's rows are erased.
    func take(_ session: Int64, in db: Database) throws -> SessionCount {
        let (known, epoch) = state.withLock { ($0.counts.removeValue(forKey: session), $0.epoch) }
        var count = try known ?? SessionCount(session: session, in: db)
        count.epoch = epoch
        return count
    }

    func keep(_ count: SessionCount, for session: Int64) {
        state.withLock { state in
            guard count.epoch == state.epoch else { return }
            if state.counts.count >= SessionCounters.capacity { state.counts.removeAll() }
            state.counts[session] = count
        }
    }

    func forget(_ session: Int64) {
        state.withLock { state in
            state.epoch += 1
            state.counts[session] = nil
        }
    }
}

struct SessionCount: Sendable {
    /// Participants that are remembered; above it they are forgotten and counted again when they return.
    private static let authorCapacity = 20_000

    var state: SessionState
    /// Of the last event.
    private(set) var sequence: Int64
    /// Of the last question.
    private(set) var number: Int64
    private var questionsByAuthor: [UInt128: Int] = [:]
    /// When it was handed out.
    fileprivate var epoch: UInt64 = 0

    init(session: Int64, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                SELECT state,
                    (SELECT max(sequence) FROM event WHERE session = session.row),
                    (SELECT max(place) FROM question WHERE place BETWEEN ? AND ?)
                FROM session WHERE row = ?
                """)
        let arguments: StatementArguments = [Place.first(in: session), Place.last(in: session), session]
        guard let row = try Row.fetchOne(statement, arguments: arguments) else { throw ChatError.sessionNotFound }
        guard let state = SessionState(rawValue: row[0]) else { throw ChatError.damaged }
        self.state = state
        sequence = row[1] ?? 0
        number = (row[2] as Int64?).map(Place.number) ?? 0
    }

    /// How many questions the participant has asked: from memory, or from the database the first time.
    mutating func questions(by author: [UInt8], in session: Int64, db: Database) throws -> Int {
        let key = SessionCount.key(author)
        if let known = questionsByAuthor[key] { return known }
        let statement = try db.cachedStatement(sql: "SELECT count(*) FROM question WHERE session = ? AND author = ?")
        let counted = try Int.fetchOne(statement, arguments: [session, author.column]) ?? 0
        if questionsByAuthor.count >= SessionCount.authorCapacity { questionsByAuthor.removeAll() }
        questionsByAuthor[key] = counted
        return counted
    }

    mutating func noteQuestion(by author: [UInt8]) {
        number += 1
        sequence += 1
        questionsByAuthor[SessionCount.key(author), default: 0] += 1
    }

    mutating func noteChange() {
        sequence += 1
    }

    private static func key(_ author: [UInt8]) -> UInt128 {
        author.reduce(0) { $0 << 8 | UInt128($1) }
    }
}
