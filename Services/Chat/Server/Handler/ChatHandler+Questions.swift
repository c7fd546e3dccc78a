internal import ChatCore
internal import Contracts
internal import RPC
internal import ServiceKit

extension ChatHandler {
    func askQuestion(_ request: ChatV1.AskQuestionRequest, call: ServerCall) async throws -> ChatV1.Question {
        let participant = try call.participant()
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        guard participant.sessionID == request.sessionID else { throw Status.status(.tokenOfOtherSession) }
        let text = try FieldCheck.text(
            request.text, field: "text", min: 1, max: ChatLimits.questionLength, multiline: true)
        try FieldCheck.requestID(request.requestID)
        return try await Status.answering {
            try await questions.ask(
                text, requestID: request.requestID, in: request.sessionID, by: (participant.id, participant.name))
        }
    }

    func publishQuestion(_ request: ChatV1.PublishQuestionRequest, call: ServerCall) async throws -> ChatV1.Question {
        try await moderate(request.questionID, in: request.sessionID, by: .publish, call: call)
    }

    func rejectQuestion(_ request: ChatV1.RejectQuestionRequest, call: ServerCall) async throws -> ChatV1.Question {
        try await moderate(request.questionID, in: request.sessionID, by: .reject, call: call)
    }

    private func moderate(
        _ questionID: String, in sessionID: String, by moderation: Moderation, call: ServerCall
    ) async throws -> ChatV1.Question {
        let administrator = try call.administrator()
        try FieldCheck.identifier(sessionID, field: "session_id")
        try FieldCheck.identifier(questionID, field: "question_id")
        return try await Status.answering {
            try await questions.moderate(
                questionID, in: sessionID, of: administrator.organisationID, by: moderation)
        }
    }

    func deleteQuestion(
        _ request: ChatV1.DeleteQuestionRequest, call: ServerCall
    ) async throws -> ChatV1.DeleteQuestionResponse {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        try FieldCheck.identifier(request.questionID, field: "question_id")
        return try await Status.answering {
            let session = try await directory.session(request.sessionID)
            switch call.principal {
            case .administrator(_, session.record.organisationID):
                try await questions.delete(request.questionID, in: session, by: nil)
            case .participant(let id, session.id, _):
                try await questions.delete(request.questionID, in: session, by: id)
            case .participant: throw ChatError.tokenOfOtherSession
            case .administrator, .anyone: throw ChatError.sessionNotFound
            }
            return ChatV1.DeleteQuestionResponse()
        }
    }

    func answerQuestion(_ request: ChatV1.AnswerQuestionRequest, call: ServerCall) async throws -> ChatV1.Question {
        let administrator = try call.administrator()
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        try FieldCheck.identifier(request.questionID, field: "question_id")
        let answer = NewAnswer(
            text: try FieldCheck.text(
                request.text, field: "text", min: 1, max: ChatLimits.answerLength, multiline: true),
            hostName: try FieldCheck.text(request.hostName, field: "host_name", max: ChatLimits.nameLength),
            requestID: try FieldCheck.requestID(request.requestID))
        return try await Status.answering {
            try await questions.answer(request.questionID, in: request.sessionID, with: answer, by: administrator)
        }
    }

    func listQuestions(
        _ request: ChatV1.ListQuestionsRequest, call: ServerCall
    ) async throws -> ChatV1.ListQuestionsResponse {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        let pageKey = try FieldCheck.pageToken(request.pageToken)
        if request.own { _ = try call.participant() }
        return try await Status.answering {
            let session = try await directory.session(request.sessionID)
            let page = try await questions.list(
                try selection(request.own, in: session, call: call), in: session,
                pageSize: FieldCheck.pageSize(request.pageSize), after: pageKey)
            return ChatV1.ListQuestionsResponse(
                questions: page.questions, nextPageToken: FieldCheck.nextPageToken(page.nextPage))
        }
    }

    private func selection(
        _ own: Bool, in session: OpenedSession, call: ServerCall
    ) throws(ChatError) -> QuestionSelection {
        let viewer = try viewer(of: session, call: call)
        if own, case .author(let author) = viewer { return .askedBy(author) }
        return .seenBy(viewer)
    }

    /// An administrator of another organisation is like anybody else to this session.
    func viewer(of session: OpenedSession, call: ServerCall) throws(ChatError) -> Viewer {
        switch call.principal {
        case .administrator(_, session.record.organisationID): return .moderator
        case .participant(let id, let sessionID, _):
            guard sessionID == session.id else { throw .tokenOfOtherSession }
            return .author(session.cipher.authorDigest(of: id))
        case .administrator, .anyone: return .anyone
        }
    }
}
