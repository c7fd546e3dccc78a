/// Why a session was erased.
package enum ErasureTrigger: String, Sendable, Hashable, Codable, CaseIterable {
    /// Somebody asked for it.
    case manual
    /// The retention time had passed.
    case automatic
}

/// How much chat erased. All zero when it held nothing.
package struct ErasedCounts: Sendable, Equatable {
    package var questions: Int64
    package var answers: Int64
    package var events: Int64

    package init(questions: Int64 = 0, answers: Int64 = 0, events: Int64 = 0) {
        self.questions = questions
        self.answers = answers
        self.events = events
    }

    /// Nil when a count is too large to be written exactly in a statement.
    package init?(reported questions: UInt64, answers: UInt64, events: UInt64) {
        let most = UInt64(CanonicalJSON.largestInteger)
        guard questions <= most, answers <= most, events <= most else { return nil }
        self.init(questions: Int64(questions), answers: Int64(answers), events: Int64(events))
    }
}

/// What is to be done next. Each is repeatable, so that a crash on either side of it is harmless.
package enum ErasureStep: String, Sendable, CaseIterable {
    case destroyKey
    case eraseContent
    case certify
}
