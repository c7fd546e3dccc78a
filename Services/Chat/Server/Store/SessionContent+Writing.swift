internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

// Each decides by the outline before it stores anything, so that what a rule refuses leaves no trace.
extension SessionContent {
    /// Stores a question: one row, and nothing is read.
    func ask(
        _ question: NewQuestion, limits: ChatLimits, onCommit: @escaping @Sendable (Int64) -> Void
    ) throws -> Asked {
        // Repeating a request that was carried out is never refused.
        if let number = outline.number(askedBy: question.request) {
            let first = try record(number)
            guard first.state != .deleted else { throw ChatError.questionNotFound }
            return .repeated(first)
        }
        guard question.keyVersion == outline.session.keyVersion else { throw ChatError.keyChanged }
        guard outline.session.record.state.acceptsQuestions else { throw ChatError.sessionEnded }
        guard outline.number < limits.questionsPerSession, outline.sequence < Int64(UInt32.max) else {
            throw ChatError.tooManyQuestions
        }
        guard outline.questionCount(by: question.author) < limits.questionsPerParticipant else {
            throw ChatError.tooManyQuestionsFromParticipant
        }
        try begin()
        note(.question(id: question.id, request: question.request))
        outline.noteQuestion(id: question.id, author: question.author, request: question.request)
        let sequence = outline.sequence
        let statement = try insertQuestion.get()
        statement.bind(outline.number)
        statement.bind(sequence)
        statement.bind(question.id)
        statement.bind(question.author)
        statement.bind(question.request)
        statement.bind(question.askTime.milliseconds)
        if question.sealedAuthorName.isEmpty { statement.bindNull() } else { statement.bind(question.sealedAuthorName) }
        statement.bind(question.sealedText)
        try statement.run()
        self.onCommit { onCommit(sequence) }
        return .stored
    }

    func moderate(
        _ questionID: String, by moderation: Moderation, limits: ChatLimits,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) throws -> QuestionRecord {
        var question = try question(questionID)
        guard question.apply(moderation) else { return question }
        try checkRoom(limits)
        try store(change: &question)
        let changed = question
        self.onCommit { onCommit(changed) }
        return changed
    }

    func answer(
        _ questionID: String, with answer: AnswerRecord, keyVersion: Int, request: [UInt8], limits: ChatLimits,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) throws -> QuestionRecord {
        if let first = outline.number(answeredBy: request) {
            let answered = try record(first)
            guard answered.state != .deleted else { throw ChatError.questionNotFound }
            return answered
        }
        var question = try question(questionID)
        guard keyVersion == outline.session.keyVersion else { throw ChatError.keyChanged }
        try question.add(answer, limit: limits.answersPerQuestion)
        try checkRoom(limits)
        try store(change: &question)
        note(.answer(to: question.number, request: request))
        outline.noteAnswer(to: question.number, request: request)
        try db.cachedStatement(
            sql: """
                INSERT INTO answer (number, question, id, request, answer_time, host_name, text)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            outline.counts.answers, question.number, answer.id, Data(request), answer.answerTime.milliseconds,
            answer.sealedHostName.column, Data(answer.sealedText),
        ])
        let changed = question
        self.onCommit { onCommit(changed) }
        return changed
    }

    func change(
        by change: (inout SessionRecord) throws -> Bool, onCommit: @escaping @Sendable (StoredSession) -> Void
    ) throws -> StoredSession {
        let before = outline.session
        var session = before
        guard try change(&session.record) else { return session }
        session.lastSequence = outline.sequence + 1
        try begin()
        note(.session(before))
        outline.noteSessionChange(session)
        try storeEvent(question: nil, state: nil)
        try storeSession()
        let changed = session
        self.onCommit { onCommit(changed) }
        return changed
    }

    /// Takes a question's texts and its answers' out of their rows. The rows stay, so that what is numbered stays so, and
    /// feeds tell of it. Never refused for want of room: people have a right to it (GDPR Art. 17).
    func delete(
        _ questionID: String, by author: [UInt8]?, at time: Date,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) throws {
        guard let number = outline.number(of: questionID) else { throw ChatError.questionNotFound }
        var question = try record(number)
        guard question.id == questionID, author == nil || author == question.author else {
            throw ChatError.questionNotFound
        }
        guard question.state != .deleted else { return }
        question = question.deleted
        try store(change: &question)
        try db.cachedStatement(sql: "UPDATE question SET author_name = NULL, text = x'' WHERE number = ?")
            .execute(arguments: [number])
        for answer in outline.answers(to: number) {
            try db.cachedStatement(sql: "UPDATE answer SET host_name = NULL, text = x'' WHERE number = ?")
                .execute(arguments: [answer])
        }
        if outline.session.deletedSince == nil {
            try change { $0.deletedSince = time.wholeMilliseconds }
        }
        let deleted = question
        self.onCommit { onCommit(deleted) }
    }

    /// Changes what is stored of the session itself, with no event.
    func change(_ change: (inout StoredSession) -> Void) throws {
        let before = outline.session
        var session = before
        change(&session)
        try begin()
        note(.sessionAlone(before))
        outline.noteSession(session)
        try storeSession()
    }

    private func storeSession() throws {
        try db.cachedStatement(sql: "UPDATE session SET (\(StoredSession.columns)) = (\(StoredSession.marks))")
            .execute(arguments: StatementArguments(outline.session.values))
    }

    private func checkRoom(_ limits: ChatLimits) throws(ChatError) {
        guard outline.sequence < limits.eventsPerSession else { throw .tooManyEvents }
    }

    /// Stores a question's moderation as an event.
    private func store(change question: inout QuestionRecord) throws {
        try begin()
        guard let before = outline.question(question.number) else { throw ChatError.damaged }
        note(.change(of: question.number, before: before))
        outline.noteChange(of: question.number, to: question.state)
        question.advance(to: outline.sequence)
        try storeEvent(question: question.number, state: question.state)
    }

    private func storeEvent(question: Int64?, state: QuestionState?) throws {
        let statement = try insertEvent.get()
        statement.setUncheckedArguments([outline.sequence, question, state?.rawValue])
        try statement.execute()
    }
}
