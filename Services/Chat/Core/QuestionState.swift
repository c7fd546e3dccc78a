/// Where a question is in moderation.
///
/// ```
/// pending ──publish, answer──▶ published ◀──publish── rejected
///    └────────reject────▶ rejected ◀──reject── published
/// pending, published, rejected ──delete──▶ deleted
/// ```
/// Moderation goes on after the session's end, for as long as the log is kept: what should not be seen must be possible
/// to hide.
package enum QuestionState: Int, Sendable, Hashable, CaseIterable {
    /// Asked, and seen by moderators and by who asked it.
    case pending = 1
    /// Seen by everyone.
    case published = 2
    /// Seen by moderators and by who asked it.
    case rejected = 3
    /// Seen by nobody: its texts are gone. For good.
    case deleted = 4

    /// - Returns: Whether anything changed.
    package mutating func publish() -> Bool {
        guard self != .published, self != .deleted else { return false }
        self = .published
        return true
    }

    /// - Returns: Whether anything changed.
    package mutating func reject() -> Bool {
        guard self != .rejected, self != .deleted else { return false }
        self = .rejected
        return true
    }

    /// An answer publishes a pending question.
    /// - Throws: ``ChatError/questionRejected``: a rejected question is published first, so that nobody makes it public
    ///   without meaning to.
    package mutating func answer() throws(ChatError) {
        switch self {
        case .pending: self = .published
        case .published: break
        case .rejected: throw .questionRejected
        case .deleted: throw .questionNotFound
        }
    }

    /// - Returns: Whether anything changed.
    package mutating func delete() -> Bool {
        guard self != .deleted else { return false }
        self = .deleted
        return true
    }
}
