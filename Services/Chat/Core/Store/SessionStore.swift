package import Foundation
package import Privacy

/// Where chat keeps its sessions. Knows ciphertext and digests, never a text or a name.
///
/// Any implementation passes the suites in `Tests/Chat/Store`. Times are the caller's; whether a session's time has passed
/// is the caller's business too.
///
/// - Throws: ``ChatError`` for what a rule refuses: ``ChatError/sessionNotFound`` alike for a session that was never there
///   and one that is erased, or is being erased; ``ChatError/damaged`` or ``ChatError/contentLost`` for one that can't be read,
///   while all others go on. `StorageError` for what the store itself can't do.
package protocol SessionStore: Sendable {
    // MARK: Sessions

    /// Stores a new session and the event of its creation. It is durable when this returns; cut short, nothing is left.
    /// - Parameter keyVersion: Of the content key that the session is sealed under.
    func create(_ record: SessionRecord, sealedTitle: [UInt8], keyVersion: Int) async throws -> StoredSession

    /// - Returns: nil for a session that is not there.
    func session(_ id: String) async throws -> StoredSession?

    /// Changes a session, with an event. A change that returns false stores nothing.
    /// - Parameter onCommit: Told in commit order, if anything changed, before this returns.
    /// - Returns: The session after the change.
    func change(
        _ id: String, by change: @escaping @Sendable (inout SessionRecord) throws -> Bool,
        onCommit: @escaping @Sendable (StoredSession) -> Void
    ) async throws -> StoredSession

    /// Notes that retention has acknowledged the session's end.
    func noteEndReported(_ id: String) async throws

    /// Sessions of an organisation that are visible at `now`, newest first.
    func sessions(
        of organisationID: String, at now: Date, after page: SessionPageKey?, limit: Int
    ) async throws -> [StoredSession]

    /// All sessions, in the order of their ids, beyond one.
    func sessions(after id: String?, limit: Int) async throws -> [StoredSession]

    /// Sessions not ended that were created at `time` or before, oldest first.
    func notEnded(createdBy time: Date, limit: Int) async throws -> [StoredSession]

    /// Ended sessions whose end retention has not acknowledged, in the order of their ids, beyond one.
    func notReported(after id: String?, limit: Int) async throws -> [StoredSession]

    /// Sessions whose time of erasure was `time` or before, and whose end retention knows.
    func overdue(since time: Date, limit: Int) async throws -> [String]

    // MARK: Questions

    // What was sealed under a content key that is not the session's any more is refused: ``ChatError/keyChanged``.

    /// Stores a question, once for each request of a participant, and returns when it is durable.
    /// - Parameter onCommit: Told the event's sequence, in commit order, if the question is new.
    func ask(
        _ question: NewQuestion, limits: ChatLimits, onCommit: @escaping @Sendable (Int64) -> Void
    ) async throws -> Asked

    /// Moderates a question. What is already so is left alone, without an event.
    /// - Parameter onCommit: Told in commit order, if anything changed.
    func moderate(
        _ questionID: String, in sessionID: String, by moderation: Moderation, limits: ChatLimits,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws -> QuestionRecord

    /// Adds an answer, once for each request of an administrator.
    /// - Parameters:
    ///   - keyVersion: Of the content key that the answer is sealed under.
    ///   - request: See ``SessionCipher/answerDigest(requestID:administratorID:)``.
    ///   - onCommit: Told in commit order, if the answer is new.
    /// - Returns: The question that the request's first answer belongs to, as it is now.
    func answer(
        _ questionID: String, in sessionID: String, with answer: AnswerRecord, keyVersion: Int, request: [UInt8],
        limits: ChatLimits, onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws -> QuestionRecord

    /// Deletes a question's texts and its answers', at once and for good. What is deleted is left alone.
    /// - Parameters:
    ///   - author: Whose question it must be; nil: anybody's.
    ///   - time: From which on the content key that opens copies of it is to be changed: see ``StoredSession/deletedSince``.
    ///   - onCommit: Told in commit order, if anything changed.
    /// - Throws: ``ChatError/questionNotFound``, also for somebody else's.
    func delete(
        _ questionID: String, in sessionID: String, by author: [UInt8]?, at time: Date,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws

    // MARK: Changing keys

    /// Sessions in which something was deleted at `time` or before, or whose old key is still to be destroyed, in the
    /// order of their ids, beyond one.
    func keysToChange(deletedBy time: Date, after id: String?, limit: Int) async throws -> [StoredSession]

    /// Writes all of a session anew, sealed under the next content key; nothing is left that the old one opens. What is
    /// stored meanwhile is not lost, and waits only for the end of it. Cut short, it has changed nothing.
    /// - Parameters:
    ///   - version: Of the new key, one more than the session's.
    ///   - seal: Seals anew what was sealed for a place.
    ///   - onCommit: Told before anything else is read or stored that is sealed under the new key.
    /// - Returns: The session, which has an old key now.
    func reseal(
        _ id: String, to version: Int,
        by seal: @escaping @Sendable ([UInt8], SessionCipher.Field) throws -> [UInt8],
        onCommit: @escaping @Sendable (StoredSession) -> Void
    ) async throws -> StoredSession

    /// Notes that the key before the session's is destroyed.
    func noteOldKeyDestroyed(_ id: String) async throws

    // MARK: Reading

    /// Questions of a session, in the order asked.
    /// - Parameter number: Of the question before the first one.
    func questions(
        _ selection: QuestionSelection, of sessionID: String, after number: Int64, bound: BatchBound
    ) async throws -> QuestionBatch

    /// The number of a question; nil if it is not in the session.
    func number(of questionID: String, in sessionID: String) async throws -> Int64?

    /// Names this life of the store: a position of another epoch means nothing here. It changes while the store is closed,
    /// when the store was restored.
    func feedEpoch() async throws -> FeedEpoch

    /// Where a session's feed is now: the session itself, and the sequence of the last committed event.
    func feedPosition(of sessionID: String) async throws -> (session: StoredSession, sequence: Int64)

    /// The present state of questions whose last change lies in a range of sequences, in the order of those changes.
    ///
    /// Each question comes once. One that changes again while a range is read in batches leaves it; its later event tells.
    func changedQuestions(
        of sessionID: String, for audience: Audience, after sequence: Int64, through last: Int64, bound: BatchBound
    ) async throws -> QuestionBatch

    /// How much a session holds, deleted questions too; nil if it can't be read.
    func counts(of sessionID: String) async throws -> ContentCounts?

    // MARK: Room

    /// Asks for room for something new, before it is stored. What ends, shortens, deletes and erases doesn't ask.
    /// - Throws: `StorageError`, `full`, while what room is left is kept for erasing.
    func requireRoom() throws

    // MARK: Erasing

    /// Erases all of a session, at a cost that does not depend on what else is stored. Needs no room on the disk.
    ///
    /// From `forget` on the session is not there for anybody, whatever else fails; a call that failed is made again.
    /// Repeated, it returns what the first one observed.
    /// - Parameters:
    ///   - time: Of the erasure, for the record.
    ///   - forget: Called once the store lets nobody in, and before anything is taken away.
    /// - Throws: ``ChatError/contentMissing`` if the session is listed and its content is not there, though nobody erased
    ///   it.
    func erase(_ id: String, at time: Date, forget: @escaping @Sendable () -> Void) async throws -> ErasureEvidence

    // MARK: Upkeep

    /// What was last stored of the clock; nil before.
    func clockMark() async throws -> ClockMark?

    func storeClockMark(_ mark: ClockMark) async throws

    /// Completes what could not be completed when it was begun, and tidies up. To be called now and then.
    func settle(at now: Date) async throws

    /// Finishes what was accepted and lets go of everything.
    func close() async
}
