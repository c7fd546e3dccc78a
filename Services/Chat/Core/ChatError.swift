/// Why chat can't do what was asked. Mapped to an RPC status in one place, by the server.
///
/// Holds nothing personal: every message is one of the fixed sentences here.
package struct ChatError: Error, Sendable, Hashable {
    package enum Code: Sendable, Hashable, CaseIterable {
        case invalid
        case notFound
        case forbidden
        case wrongState
        case exhausted
        case resume
        case unavailable
        case damaged
    }

    package var code: Code
    /// Stable, UPPER_SNAKE, for programs.
    package var reason: String
    /// For people; safe to show to anyone.
    package var message: String
    /// The request's field at fault; empty if none is.
    package var field: String
    /// The name of the bound that was reached; empty if none was.
    package var bound: String

    package init(_ code: Code, reason: String, _ message: String, field: String = "", bound: String = "") {
        self.code = code
        self.reason = reason
        self.message = message
        self.field = field
        self.bound = bound
    }
}

extension ChatError {
    /// The same for an unknown session, another organisation's, one whose time has passed and an erased one, so that
    /// nothing can be learnt by trying.
    package static let sessionNotFound = ChatError(
        .notFound, reason: "SESSION_NOT_FOUND", "session: not found", field: "session_id")

    package static let questionNotFound = ChatError(
        .notFound, reason: "QUESTION_NOT_FOUND", "question: not found", field: "question_id")

    package static let sessionEnded = ChatError(
        .wrongState, reason: "SESSION_ENDED", "the session has ended")

    /// What was sealed for the store is sealed under a content key that is not the session's any more. Callers are not told:
    /// it is sealed again.
    package static let keyChanged = ChatError(
        .unavailable, reason: "KEY_CHANGED", "the session's key has just changed")

    package static let questionRejected = ChatError(
        .wrongState, reason: "QUESTION_REJECTED", "the question is rejected; publish it first")

    package static let tooManyQuestions = ChatError(
        .exhausted, reason: "SESSION_FULL", "the session takes no more questions")

    package static let tooManyQuestionsFromParticipant = ChatError(
        .exhausted, reason: "PARTICIPANT_LIMIT", "no more questions from this participant")

    package static let tooManyAnswers = ChatError(
        .exhausted, reason: "QUESTION_FULL", "the question takes no more answers")

    package static let tooManyEvents = ChatError(
        .exhausted, reason: "SESSION_FULL", "the session takes no more changes")

    package static func tooManyWatchers(_ bound: String) -> ChatError {
        ChatError(.exhausted, reason: "WATCHER_LIMIT", "there is no room for another watcher", bound: bound)
    }

    package static func tooManyLogReads(_ bound: String) -> ChatError {
        ChatError(.exhausted, reason: "LOG_READ_LIMIT", "too many logs are being read", bound: bound)
    }

    package static func tooMuchWaiting(_ bound: String) -> ChatError {
        ChatError(.exhausted, reason: "STORE_OVERLOADED", "too many calls are waiting in chat", bound: bound)
    }

    package static let tokenOfOtherSession = ChatError(
        .forbidden, reason: "TOKEN_OTHER_SESSION", "the participant token belongs to another session",
        field: "session_id")

    /// The watcher calls again with the last sequence it saw, and misses nothing.
    package static let resume = ChatError(
        .resume, reason: "RESUME", "resume after the last sequence seen")

    package static let retentionUnavailable = ChatError(
        .unavailable, reason: "NEIGHBOUR_UNAVAILABLE", "retention is not reachable")

    package static let identityUnavailable = ChatError(
        .unavailable, reason: "NEIGHBOUR_UNAVAILABLE", "identity is not reachable")

    /// The session's organisation is not in identity.
    package static let controllerNotFound = ChatError(
        .notFound, reason: "ORGANISATION_NOT_FOUND", "organisation: not found")

    /// A stored text that does not open with the session's key, or a session's file that can't be read: something else
    /// changed it. Other sessions go on.
    package static let damaged = ChatError(
        .damaged, reason: "CONTENT_DAMAGED", "stored content could not be read")

    /// A session that is listed and whose content is not there, though nobody erased it: to those who read it.
    package static let contentLost = ChatError(
        .damaged, reason: "CONTENT_MISSING", "the session's stored content is not where it was stored",
        field: "session_id")

    /// The same, to those who erase it.
    package static let contentMissing = ChatError(
        .wrongState, reason: "CONTENT_MISSING", "the session's stored content is not where it was stored",
        field: "session_id")

    package static func invalid(_ field: String, _ problem: String) -> ChatError {
        ChatError(.invalid, reason: "INVALID_FIELD", "\(field): \(problem)", field: field)
    }
}
