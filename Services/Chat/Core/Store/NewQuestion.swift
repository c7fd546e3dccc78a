package import Foundation

/// A question on its way into the store.
package struct NewQuestion: Sendable, Hashable {
    package let sessionID: String
    package let id: String
    package let sealedText: [UInt8]
    /// Empty: anonymous.
    package let sealedAuthorName: [UInt8]
    /// See ``SessionCipher/authorDigest(of:)``.
    package let author: [UInt8]
    /// See ``SessionCipher/askDigest(requestID:participantID:)``.
    package let request: [UInt8]
    package let askTime: Date
    /// Of the content key that its texts are sealed under.
    package let keyVersion: Int

    package init(
        sessionID: String, id: String, sealedText: [UInt8], sealedAuthorName: [UInt8], author: [UInt8],
        request: [UInt8], askTime: Date, keyVersion: Int
    ) {
        self.sessionID = sessionID
        self.id = id
        self.sealedText = sealedText
        self.sealedAuthorName = sealedAuthorName
        self.author = author
        self.request = request
        self.askTime = askTime
        self.keyVersion = keyVersion
    }
}

/// What came of asking.
package enum Asked: Sendable, Hashable {
    case stored
    /// The participant's request had already been carried out: this came of it.
    case repeated(QuestionRecord)
}

/// Some questions of a longer row of them.
package struct QuestionBatch: Sendable, Hashable {
    package var questions: [QuestionRecord] = []
    /// Whether there are no more after these.
    package var isLast = true

    package init(questions: [QuestionRecord] = [], isLast: Bool = true) {
        self.questions = questions
        self.isLast = isLast
    }
}

/// How much is read at once: what is read is held in memory, and may be one message.
package struct BatchBound: Sendable, Hashable {
    /// Questions at most.
    package var questions: Int
    /// Bytes of content after which there are no more. One question comes in any case, however long.
    package var bytes: Int

    package init(questions: Int, bytes: Int = 1 << 20) {
        self.questions = questions
        self.bytes = bytes
    }
}
