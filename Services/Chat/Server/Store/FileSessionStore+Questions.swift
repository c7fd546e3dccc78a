package import ChatCore

extension FileSessionStore {
    package func ask(
        _ question: NewQuestion, limits: ChatLimits, onCommit: @escaping @Sendable (Int64) -> Void
    ) async throws -> Asked {
        try await with(question.sessionID) { file in
            try await file.write { content in try content.ask(question, limits: limits, onCommit: onCommit) }
        }
    }

    package func moderate(
        _ questionID: String, in sessionID: String, by moderation: Moderation, limits: ChatLimits,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws -> QuestionRecord {
        try await with(sessionID) { file in
            try await file.write { content in
                try content.moderate(questionID, by: moderation, limits: limits, onCommit: onCommit)
            }
        }
    }

    package func answer(
        _ questionID: String, in sessionID: String, with answer: AnswerRecord, keyVersion: Int, request: [UInt8],
        limits: ChatLimits, onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws -> QuestionRecord {
        try await with(sessionID) { file in
            try await file.write { content in
                try content.answer(
                    questionID, with: answer, keyVersion: keyVersion, request: request, limits: limits,
                    onCommit: onCommit)
            }
        }
    }

    package func questions(
        _ selection: QuestionSelection, of sessionID: String, after number: Int64, bound: BatchBound
    ) async throws -> QuestionBatch {
        try await with(sessionID) { file in
            try await file.read { content in try content.questions(selection, after: number, bound: bound) }
        }
    }

    package func number(of questionID: String, in sessionID: String) async throws -> Int64? {
        try await with(sessionID) { file in
            try await file.read { content in
                do {
                    return try content.question(questionID).number
                } catch let error as ChatError where error == .questionNotFound {
                    return nil
                }
            }
        }
    }

    package func feedPosition(of sessionID: String) async throws -> (session: StoredSession, sequence: Int64) {
        try await with(sessionID) { file in
            try await file.read { content in (content.outline.session, content.outline.sequence) }
        }
    }

    package func counts(of sessionID: String) async throws -> ContentCounts? {
        do {
            return try await with(sessionID) { file in try await file.read { content in content.outline.counts } }
        } catch is ChatError {
            return nil
        }
    }

    package func changedQuestions(
        of sessionID: String, for audience: Audience, after sequence: Int64, through last: Int64, bound: BatchBound
    ) async throws -> QuestionBatch {
        try await with(sessionID) { file in
            try await file.read { content in
                try content.changedQuestions(for: audience, after: sequence, through: last, bound: bound)
            }
        }
    }
}
