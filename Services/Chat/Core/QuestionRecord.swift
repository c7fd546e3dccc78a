package import Foundation

/// A question as it is stored: its texts sealed, its author a digest.
package struct QuestionRecord: Sendable, Hashable {
    package let id: String
    /// Counts the session's questions in the order asked, from 1. Not shown: it would tell how many are not published.
    package let number: Int64
    package private(set) var state: QuestionState
    /// Whether it has ever been published.
    package private(set) var wasPublished: Bool
    package let sealedText: [UInt8]
    /// Empty: anonymous.
    package let sealedAuthorName: [UInt8]
    /// See ``SessionCipher/authorDigest(of:)``.
    package let author: [UInt8]
    package let askTime: Date
    /// Counts its changes, from 1.
    package private(set) var version: Int64
    /// The sequence of its last change.
    package private(set) var lastSequence: Int64
    package private(set) var answers: [AnswerRecord]
    /// Of the content key that its texts and its answers' are sealed under.
    package let keyVersion: Int

    package init(
        id: String, number: Int64, state: QuestionState, wasPublished: Bool, sealedText: [UInt8],
        sealedAuthorName: [UInt8], author: [UInt8], askTime: Date, version: Int64, lastSequence: Int64,
        answers: [AnswerRecord], keyVersion: Int
    ) {
        self.id = id
        self.number = number
        self.state = state
        self.wasPublished = wasPublished
        self.sealedText = sealedText
        self.sealedAuthorName = sealedAuthorName
        self.author = author
        self.askTime = askTime
        self.version = version
        self.lastSequence = lastSequence
        self.answers = answers
        self.keyVersion = keyVersion
    }

    /// The same question once it is deleted: whose it was and where, and none of its texts.
    package var deleted: QuestionRecord {
        QuestionRecord(
            id: id, number: number, state: .deleted, wasPublished: wasPublished, sealedText: [], sealedAuthorName: [],
            author: author, askTime: askTime, version: version, lastSequence: lastSequence, answers: [],
            keyVersion: keyVersion)
    }

    /// - Returns: Whether the moderation changed anything.
    package mutating func apply(_ moderation: Moderation) -> Bool {
        let changed =
            switch moderation {
            case .publish: state.publish()
            case .reject: state.reject()
            }
        noteState()
        return changed
    }

    /// - Parameter limit: How many answers a question takes.
    package mutating func add(_ answer: AnswerRecord, limit: Int) throws(ChatError) {
        guard answers.count < limit else { throw .tooManyAnswers }
        try state.answer()
        noteState()
        answers.append(answer)
    }

    /// To be called once for every change that is stored.
    package mutating func advance(to sequence: Int64) {
        version += 1
        lastSequence = sequence
    }

    private mutating func noteState() {
        if state == .published { wasPublished = true }
    }
}

/// What a moderator does to a question.
package enum Moderation: Sendable, Hashable, CaseIterable {
    case publish
    case reject
}

/// An answer as it is stored: its texts sealed.
package struct AnswerRecord: Sendable, Hashable {
    package let id: String
    package let sealedText: [UInt8]
    /// Empty: no name was given.
    package let sealedHostName: [UInt8]
    package let answerTime: Date

    package init(id: String, sealedText: [UInt8], sealedHostName: [UInt8], answerTime: Date) {
        self.id = id
        self.sealedText = sealedText
        self.sealedHostName = sealedHostName
        self.answerTime = answerTime
    }
}
