internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

/// A question on its way into the store.
struct NewQuestion: Sendable {
    let session: Int64
    let id: String
    let sealedText: [UInt8]
    let sealedAuthorName: [UInt8]
    let author: [UInt8]
    let request: [UInt8]
    let askTime: Date
}

enum Asked: Sendable {
    case stored
    /// The participant's request had already been carried out: this came of it.
    case repeated(QuestionRecord)
}

extension ChatStore {
    /// Stores a question, once for each request of a participant, and returns when it is durable.
    ///
    /// Two INSERTs and no SELECT, as long as the session and the participant are known to the counters.
    /// - Parameter onCommit: Told the event's sequence, in commit order, if the question is new.
    /// - Throws: ``ChatError``: the session is not there, has ended, or a bound is reached.
    func ask(
        _ question: NewQuestion, limits: ChatLimits, onCommit: @escaping @Sendable (Int64) -> Void
    ) async throws -> Asked {
        try await write(countingFor: question.session) { [counters] transaction in
            let db = transaction.db
            var count = try counters.take(question.session, in: db)
            let refusal = try ChatStore.refusal(of: question, count: &count, limits: limits, in: db)
            let place = Place.of(number: count.number + 1, in: question.session)
            let sequence = count.sequence + 1
            if refusal == nil, try ChatStore.insert(question, place: place, sequence: sequence, in: db) {
                count.noteQuestion(by: question.author)
                counters.keep(count, for: question.session)
                transaction.onCommit { onCommit(sequence) }
                return .stored
            }
            counters.keep(count, for: question.session)
            // Repeating a request that was carried out is never refused.
            if let first = try ChatStore.question(askedBy: question, in: db) { return .repeated(first) }
            throw refusal ?? ChatError.damaged
        }
    }

    private static let insertQuestion = """
        INSERT INTO question (place, session, id, state, was_published, text, author_name, author, request,
            ask_time, version, last_sequence)
        VALUES (?, ?, ?, \(QuestionState.pending.rawValue), 0, ?, ?, ?, ?, ?, 1, ?)
        ON CONFLICT (session, author, request) DO NOTHING
        """

    private static func refusal(
        of question: NewQuestion, count: inout SessionCount, limits: ChatLimits, in db: Database
    ) throws -> ChatError? {
        guard count.state.acceptsQuestions else { return .sessionEnded }
        guard count.number < limits.questionsPerSession else { return .tooManyQuestions }
        let asked = try count.questions(by: question.author, in: question.session, db: db)
        return asked < limits.questionsPerParticipant ? nil : .tooManyQuestionsFromParticipant
    }

    /// Stores the question and the event that tells of it.
    /// - Returns: false if the participant's request is already there.
    private static func insert(
        _ question: NewQuestion, place: Int64, sequence: Int64, in db: Database
    ) throws -> Bool {
        let statement = try db.cachedStatement(sql: insertQuestion)
        try statement.execute(arguments: [
            place, question.session, question.id, question.sealedText.column, question.sealedAuthorName.column,
            question.author.column, question.request.column, question.askTime.milliseconds, sequence,
        ])
        guard db.changesCount > 0 else { return false }
        try insertEvent(session: question.session, sequence: sequence, question: place, version: 1, in: db)
        return true
    }

    private static func question(askedBy question: NewQuestion, in db: Database) throws -> QuestionRecord? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT \(QuestionRecord.columns) FROM question WHERE session = ? AND author = ? AND request = ?
                """)
        let arguments: StatementArguments = [question.session, question.author.column, question.request.column]
        return try Row.fetchOne(statement, arguments: arguments).map { row in try QuestionRecord(row, in: db) }
    }
}
