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

    /// Returns once the question is durable. The hot path: with the session in memory, sealing and one write are all it does.
    func ask(
        _ text: String, requestID: String, in sessionID: String, by participant: (id: String, name: String)
    ) async throws -> ChatV1.Question {
        let session = try await directory.session(sessionID)
        let cipher = session.cipher
        let now = clock.confirmed()
        let id = QuestionIdentifier.make(at: now)
        let question = NewQuestion(
            sessionID: session.id, id: id,
            sealedText: try cipher.seal(text, as: .questionText(questionID: id)),
            sealedAuthorName: try cipher.seal(participant.name, as: .authorName(questionID: id)),
            author: cipher.authorDigest(of: participant.id),
            request: cipher.askDigest(requestID: requestID, participantID: participant.id), askTime: now)
        let message = ChatV1.Question(
            questionID: id, sessionID: session.id, state: .pending, text: text, authorName: participant.name,
            askTime: Messages.timestamp(now), version: 1)
        let asked = try await store.ask(question, limits: limits) {
            [feed, author = question.author] sequence in
            feed.publish(asked: message, by: author, sequence: sequence, in: message.sessionID)
        }
        switch asked {
        case .stored: return message
        case .repeated(let first): return try Messages.question(first, opening: cipher)
        }
    }

    func moderate(
        _ questionID: String, in sessionID: String, of organisationID: String, by moderation: Moderation
    ) async throws -> ChatV1.Question {
        let session = try await directory.session(sessionID, of: organisationID)
        let question = try await store.moderate(questionID, in: session.id, by: moderation, limits: limits) {
            [feed] question in
            feed.publish(question, in: sessionID)
        }
        return try Messages.question(question, opening: session.cipher)
    }

    func answer(
        _ questionID: String, in sessionID: String, with answer: NewAnswer,
        by administrator: (id: String, organisationID: String)
    ) async throws -> ChatV1.Question {
        let session = try await directory.session(sessionID, of: administrator.organisationID)
        let cipher = session.cipher
        let now = clock.confirmed()
        let id = QuestionIdentifier.make(at: now)
        let record = AnswerRecord(
            id: id, sealedText: try cipher.seal(answer.text, as: .answerText(answerID: id)),
            sealedHostName: try cipher.seal(answer.hostName, as: .hostName(answerID: id)),
            answerTime: now.wholeMilliseconds)
        let request = cipher.answerDigest(requestID: answer.requestID, administratorID: administrator.id)
        let question = try await store.answer(
            questionID, in: session.id, with: record, request: request, limits: limits
        ) { [feed] question in
            feed.publish(question, in: sessionID)
        }
        return try Messages.question(question, opening: cipher)
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
        let questions = try batch.questions.map { try Messages.question($0, opening: session.cipher) }
        return (questions, batch.isLast ? nil : batch.questions.last?.id)
    }
}

/// An answer as it was given.
struct NewAnswer: Sendable {
    let text: String
    let hostName: String
    let requestID: String
}
