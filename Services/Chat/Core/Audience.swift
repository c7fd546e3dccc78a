/// Who follows a session's live feed.
package enum Audience: Sendable, Hashable {
    /// Sees published questions.
    case everyone
    /// Sees every question. Administrators of the session's organisation only.
    case moderators
    /// A participant, by the digest that their questions are stored under: sees their own questions and nothing else.
    case author([UInt8])

    /// Whom a change to a question by this author may concern.
    package static func concerned(byQuestionOf author: [UInt8]) -> [Audience] {
        [.everyone, .moderators, .author(author)]
    }

    /// Whom a change to the session itself concerns. Authors follow it with everyone.
    package static let concernedBySession: [Audience] = [.everyone, .moderators]

    /// What a question's present state is to this audience, if the question is one that concerns it.
    /// - Parameter wasPublished: Whether the question has ever been published: if so, this audience may still be showing it.
    package func view(of state: QuestionState, wasPublished: Bool) -> QuestionView {
        switch (self, state) {
        case (.moderators, .deleted), (.author, .deleted): .removed
        case (.moderators, _), (.author, _), (.everyone, .published): .shown
        case (.everyone, .pending), (.everyone, .rejected), (.everyone, .deleted): wasPublished ? .removed : .hidden
        }
    }
}

/// What an audience is told of a question that changed.
package enum QuestionView: Sendable, Hashable, CaseIterable {
    /// Its present state.
    case shown
    /// That it is no longer to be seen.
    case removed
    /// Nothing: it has never been seen.
    case hidden
}

/// Who lists a session's questions.
package enum Viewer: Sendable, Hashable {
    case anyone
    /// A participant, by the digest that their questions are stored under.
    case author([UInt8])
    /// An administrator of the session's organisation.
    case moderator

    /// A participant sees their own questions whatever became of them; everyone sees the published ones.
    package func sees(_ state: QuestionState, by author: [UInt8]) -> Bool {
        if state == .deleted { return false }
        return switch self {
        case .moderator: true
        case .author(let own): state == .published || own == author
        case .anyone: state == .published
        }
    }
}

/// Which of a session's questions are listed.
package enum QuestionSelection: Sendable, Hashable {
    /// All that the viewer sees.
    case seenBy(Viewer)
    /// One participant's own, by the digest that they are stored under, whatever became of them.
    case askedBy([UInt8])
}
