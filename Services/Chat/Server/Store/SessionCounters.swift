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

    private let counts = Mutex<[Int64: SessionCount]>([:])

    /// - Throws: ``ChatError/sessionNotFound`` if the session's rows are erased.
    func count(of session: Int64, in db: Database) throws -> SessionCount {
        if let count = counts.withLock({ $0[session] }) { return count }
        return try SessionCount(session: session, in: db)
    }

    func keep(_ count: SessionCount, for session: Int64) {
        counts.withLock { counts in
            if counts.count >= SessionCounters.capacity, counts[session] == nil { counts.removeAll() }
            counts[session] = count
        }
    }

    func forget(_ session: Int64) {
        counts.withLock { counts in counts[session] = nil }
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

    mutating func nextSequence() -> Int64 {
        sequence += 1
        return sequence
    }

    mutating func nextNumber() -> Int64 {
        number += 1
        return number
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
        questionsByAuthor[SessionCount.key(author), default: 0] += 1
    }

    private static func key(_ author: [UInt8]) -> UInt128 {
        author.reduce(0) { $0 << 8 | UInt128($1) }
    }
}
