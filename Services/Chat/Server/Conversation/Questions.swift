internal import ChatCore
internal import Contracts
internal import Foundation
internal import Privacy

/// Asking, moderating and answering.
struct Questions: Sendable {
    let store: any SessionStore
    let directory: SessionDirectory
    let feed: LiveFeed
    let clock: any WallClock
    let limits: ChatLimits

    /// How often something is sealed again because the session's key has just changed.
    private static let sealings = 3

    /// Returns once the question is durable. The hot path: with the session in memory, sealing and one write are all it does.
    func ask(
        _ text: String, requestID: String, in sessionID: String, by participant: (id: String, name: String)
    ) async throws -> ChatV1.Question {
        try await sealing(in: sessionID) { session in
            try store.requireRoom()
            let cipher = session.cipher
            let now = clock.confirmed()
            let id = QuestionIdentifier.make(at: now)
            let question = NewQuestion(
                sessionID: session.id, id: id,
                sealedText: try cipher.seal(text, as: .questionText(questionID: id)),
                sealedAuthorName: try cipher.seal(participant.name, as: .authorName(questionID: id)),
                author: cipher.authorDigest(of: participant.id),
                request: cipher.askDigest(requestID: requestID, participantID: participant.id), askTime: now,
                keyVersion: cipher.version)
            let stored = ChatV1.Question(
                questionID: id, sessionID: session.id, state: .pending, text: text, authorName: participant.name,
                askTime: Messages.timestamp(now), version: 1)
            let asked = try await store.ask(question, limits: limits) {
                [feed, author = question.author] sequence in
                feed.publish(asked: stored, by: author, sequence: sequence, in: stored.sessionID)
            }
            switch asked {
            case .stored: return stored
            case .repeated(let first): return try await message(of: first, in: session)
            }
        }
    }

    func moderate(
        _ questionID: String, in sessionID: String, of organisationID: String, by moderation: Moderation
    ) async throws -> ChatV1.Question {
        let session = try await directory.session(sessionID, of: organisationID)
        // Hiding what is seen already takes what room there is.
        if case .publish = moderation { try store.requireRoom() }
        let question = try await store.moderate(questionID, in: session.id, by: moderation, limits: limits) {
            [feed] question in
            feed.publish(question, in: sessionID)
        }
        return try await message(of: question, in: session)
    }

    func answer(
        _ questionID: String, in sessionID: String, with answer: NewAnswer,
        by administrator: (id: String, organisationID: String)
    ) async throws -> ChatV1.Question {
        try await sealing(in: sessionID) { session in
            guard session.record.organisationID == administrator.organisationID else { throw ChatError.sessionNotFound }
            try store.requireRoom()
            let cipher = session.cipher
            let now = clock.confirmed()
            let id = QuestionIdentifier.make(at: now)
            let record = AnswerRecord(
                id: id, sealedText: try cipher.seal(answer.text, as: .answerText(answerID: id)),
                sealedHostName: try cipher.seal(answer.hostName, as: .hostName(answerID: id)),
                answerTime: now.wholeMilliseconds)
            let question = try await store.answer(
                questionID, in: session.id, with: record, keyVersion: cipher.version,
                request: cipher.answerDigest(requestID: answer.requestID, administratorID: administrator.id),
                limits: limits
            ) { [feed] question in
                feed.publish(question, in: sessionID)
            }
            return try await message(of: question, in: session)
        }
    }

    /// Deletes a question for everybody, at once (GDPR Art. 17). The key that opens copies of it is changed soon after
    /// (``KeyChanges``). Deleting it again changes nothing.
    /// - Parameter participantID: Whose question it must be; nil: a moderator deletes it.
    func delete(_ questionID: String, in session: OpenedSession, by participantID: String?) async throws {
        try await store.delete(
            questionID, in: session.id, by: participantID.map(session.cipher.authorDigest), at: clock.confirmed()
        ) { [feed] question in
            feed.publish(question, in: session.id)
        }
    }

    /// Seals something for a session, and again if its key has changed before it was stored.
    private func sealing(
        in sessionID: String, _ store: (OpenedSession) async throws -> ChatV1.Question
    ) async throws -> ChatV1.Question {
        for _ in 1..<Questions.sealings {
            do {
                return try await store(try await directory.session(sessionID))
            } catch let error as ChatError where error == .keyChanged {
                // In memory it is up to date by now, or it is read again.
                directory.remove(sessionID)
            }
        }
        return try await store(try await directory.session(sessionID))
    }

    private func message(of question: QuestionRecord, in session: OpenedSession) async throws -> ChatV1.Question {
        try Messages.question(question, opening: try await directory.cipher(for: question, of: session))
    }

    /// Questions of a session, in the order asked.
    /// - Parameters:
    ///   - selection: Which of them.
    ///   - page: The id of the last question on the page before; nil for the first page.
    /// - Returns: The questions, and the id of the page's last one unless it is the last page.
    func list(
        _ selection: QuestionSelection, in session: OpenedSession, pageSize: Int, after page: String?
    ) async throws -> (questions: [ChatV1.Question], nextPage: String?) {
        var after: Int64 = 0
        if let page {
            guard let number = try await store.number(of: page, in: session.id) else {
                throw ChatError.invalid("page_token", "is not a page token of this method")
            }
            after = number
        }
        let batch = try await store.questions(
            selection, of: session.id, after: after, bound: BatchBound(questions: pageSize))
        var questions: [ChatV1.Question] = []
        for question in batch.questions { questions.append(try await message(of: question, in: session)) }
        return (questions, batch.isLast ? nil : batch.questions.last?.id)
    }
}

/// An answer as it was given.
struct NewAnswer: Sendable {
    let text: String
    let hostName: String
    let requestID: String
}
