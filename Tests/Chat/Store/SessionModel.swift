import ChatCore
import Foundation

@testable import ChatServer

/// One session as it should be, in the plainest way: lists that are searched through.
struct SessionModel {
    private(set) var session: StoredSession
    private(set) var questions: [QuestionRecord] = []
    private(set) var sequence: Int64 = 1
    private var asked: [(request: [UInt8], id: String)] = []
    private var answered: [(request: [UInt8], id: String)] = []
    let limits: ChatLimits

    init(_ session: StoredSession, limits: ChatLimits) {
        self.session = session
        self.limits = limits
    }

    private func index(_ id: String) throws(ChatError) -> Int {
        guard let index = questions.firstIndex(where: { $0.id == id && $0.state != .deleted }) else {
            throw .questionNotFound
        }
        return index
    }

    mutating func ask(_ question: NewQuestion) throws(ChatError) -> Asked {
        if let first = asked.first(where: { $0.request == question.request }) {
            return .repeated(questions[try index(first.id)])
        }
        guard question.keyVersion == session.keyVersion else { throw .keyChanged }
        guard session.record.state != .ended else { throw .sessionEnded }
        guard questions.count < limits.questionsPerSession else { throw .tooManyQuestions }
        guard questions.count(where: { $0.author == question.author }) < limits.questionsPerParticipant else {
            throw .tooManyQuestionsFromParticipant
        }
        sequence += 1
        asked.append((question.request, question.id))
        questions.append(
            QuestionRecord(
                id: question.id, number: Int64(questions.count + 1), state: .pending, wasPublished: false,
                sealedText: question.sealedText, sealedAuthorName: question.sealedAuthorName, author: question.author,
                askTime: question.askTime, version: 1, lastSequence: sequence, answers: [],
                keyVersion: session.keyVersion))
        return .stored
    }

    mutating func moderate(_ id: String, by moderation: Moderation) throws(ChatError) -> QuestionRecord {
        let index = try index(id)
        var question = questions[index]
        guard question.apply(moderation) else { return question }
        guard sequence < limits.eventsPerSession else { throw .tooManyEvents }
        sequence += 1
        question.advance(to: sequence)
        questions[index] = question
        return question
    }

    mutating func answer(
        _ id: String, with answer: AnswerRecord, keyVersion: Int, request: [UInt8]
    ) throws(ChatError) -> QuestionRecord {
        if let first = answered.first(where: { $0.request == request }) { return questions[try index(first.id)] }
        let index = try index(id)
        guard keyVersion == session.keyVersion else { throw .keyChanged }
        var question = questions[index]
        try question.add(answer, limit: limits.answersPerQuestion)
        guard sequence < limits.eventsPerSession else { throw .tooManyEvents }
        sequence += 1
        question.advance(to: sequence)
        questions[index] = question
        answered.append((request, id))
        return question
    }

    mutating func change(_ change: (inout SessionRecord) throws -> Bool) throws -> StoredSession {
        var changed = session
        guard try change(&changed.record) else { return session }
        sequence += 1
        changed.lastSequence = sequence
        session = changed
        return session
    }

    mutating func delete(_ id: String, by author: [UInt8]?, at time: Date) throws(ChatError) {
        guard let index = questions.firstIndex(where: { $0.id == id && (author == nil || $0.author == author) }) else {
            throw .questionNotFound
        }
        guard questions[index].state != .deleted else { return }
        sequence += 1
        questions[index] = questions[index].deleted
        questions[index].advance(to: sequence)
        if session.deletedSince == nil { session.deletedSince = time }
    }

    mutating func reseal(_ seal: ([UInt8]) -> [UInt8]) {
        session.keyVersion += 1
        session.sealedTitle = seal(session.sealedTitle)
        session.deletedSince = nil
        session.hasOldKey = true
        questions = questions.map { question in
            QuestionRecord(
                id: question.id, number: question.number, state: question.state, wasPublished: question.wasPublished,
                sealedText: question.sealedText.isEmpty ? [] : seal(question.sealedText),
                sealedAuthorName: question.sealedAuthorName.isEmpty ? [] : seal(question.sealedAuthorName),
                author: question.author, askTime: question.askTime, version: question.version,
                lastSequence: question.lastSequence,
                answers: question.answers.map { answer in
                    AnswerRecord(
                        id: answer.id, sealedText: seal(answer.sealedText), sealedHostName: [],
                        answerTime: answer.answerTime)
                }, keyVersion: session.keyVersion)
        }
    }

    func all(_ selection: QuestionSelection) -> [QuestionRecord] {
        questions.filter { $0.state != .deleted }.filter { question in
            switch selection {
            case .seenBy(let viewer): viewer.sees(question.state, by: question.author)
            case .askedBy(let author): question.author == author
            }
        }
    }

    func feed(for audience: Audience, after sequence: Int64) -> [QuestionRecord] {
        let concerned = questions.filter { question in
            switch audience {
            case .everyone: question.wasPublished
            case .moderators: true
            case .author(let author): question.author == author
            }
        }
        return concerned.filter { $0.lastSequence > sequence }.sorted { $0.lastSequence < $1.lastSequence }
    }

    var counts: ContentCounts {
        ContentCounts(questions: questions.count, answers: answered.count, events: Int(sequence))
    }
}

/// Numbers that come again with the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
