internal import ChatCore
internal import GRDB
internal import Storage

extension ChatStore {
    /// Moderates a question. What is already so is left alone, without an event.
    /// - Parameter onCommit: Told in commit order, if anything changed.
    /// - Throws: ``ChatError``: the question is not there, or the session takes no more changes.
    func moderate(
        _ questionID: String, in session: Int64, by moderation: Moderation, limits: ChatLimits,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws -> QuestionRecord {
        try await write(countingFor: session) { [counters] transaction in
            let db = transaction.db
            guard var question = try ChatStore.question(questionID, in: session, db: db) else {
                throw ChatError.questionNotFound
            }
            guard question.apply(moderation) else { return question }
            var count = try counters.take(session, in: db)
            guard count.sequence < limits.eventsPerSession else { throw ChatError.tooManyEvents }
            count.noteChange()
            question.advance(to: count.sequence)
            try ChatStore.update(question, in: session, db: db)
            counters.keep(count, for: session)
            let changed = question
            transaction.onCommit { onCommit(changed) }
            return changed
        }
    }

    /// Adds an answer, once for each request of an administrator.
    /// - Parameter request: See ``SessionCipher/answerDigest(requestID:administratorID:)``.
    /// - Parameter onCommit: Told in commit order, if the answer is new.
    /// - Returns: The question that the request's first answer belongs to, as it is now.
    func answer(
        _ questionID: String, in session: Int64, with answer: AnswerRecord, request: [UInt8], limits: ChatLimits,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws -> QuestionRecord {
        try await write(countingFor: session) { [counters] transaction in
            let db = transaction.db
            if let first = try ChatStore.question(answeredBy: request, in: session, db: db) { return first }
            guard var question = try ChatStore.question(questionID, in: session, db: db) else {
                throw ChatError.questionNotFound
            }
            try question.add(answer, limit: limits.answersPerQuestion)
            var count = try counters.take(session, in: db)
            guard count.sequence < limits.eventsPerSession else { throw ChatError.tooManyEvents }
            count.noteChange()
            question.advance(to: count.sequence)
            try ChatStore.update(question, in: session, db: db)
            try ChatStore.insert(answer, to: question, in: session, request: request, db: db)
            counters.keep(count, for: session)
            let changed = question
            transaction.onCommit { onCommit(changed) }
            return changed
        }
    }

    static func question(_ id: String, in session: Int64, db: Database) throws -> QuestionRecord? {
        let statement = try db.cachedStatement(
            sql: "SELECT \(QuestionRecord.columns) FROM question WHERE id = ? AND session = ?")
        return try Row.fetchOne(statement, arguments: [id, session]).map { row in try QuestionRecord(row, in: db) }
    }

    private static func question(answeredBy request: [UInt8], in session: Int64, db: Database) throws -> QuestionRecord?
    {
        let statement = try db.cachedStatement(
            sql: """
                SELECT \(QuestionRecord.columns) FROM question
                WHERE place = (SELECT question FROM answer WHERE session = ? AND request = ?)
                """)
        return try Row.fetchOne(statement, arguments: [session, request.column])
            .map { row in try QuestionRecord(row, in: db) }
    }

    /// Stores a question's moderation and the event that tells of it.
    private static func update(_ question: QuestionRecord, in session: Int64, db: Database) throws {
        let place = Place.of(number: question.number, in: session)
        let statement = try db.cachedStatement(
            sql: "UPDATE question SET state = ?, was_published = ?, version = ?, last_sequence = ? WHERE place = ?")
        try statement.execute(arguments: [
            question.state.rawValue, question.wasPublished, question.version, question.lastSequence, place,
        ])
        try insertEvent(
            session: session, sequence: question.lastSequence, question: place, version: question.version, in: db)
    }

    private static func insert(
        _ answer: AnswerRecord, to question: QuestionRecord, in session: Int64, request: [UInt8], db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO answer (session, question, id, text, host_name, answer_time, request)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            session, Place.of(number: question.number, in: session), answer.id, answer.sealedText.column,
            answer.sealedHostName.column, answer.answerTime.milliseconds, request.column,
        ])
    }
}
