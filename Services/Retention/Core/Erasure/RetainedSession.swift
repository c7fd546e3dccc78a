package import Foundation
package import Privacy

/// A session as retention knows it: whose it is, how long it may be kept, and how far its erasure has come.
package struct RetainedSession: Sendable, Equatable {
    package let id: String
    package let organisationID: String
    package let createTime: Date
    /// The rules that set `retentionDays`.
    package private(set) var agreementVersion: Int64
    package private(set) var policyVersion: Int64
    package private(set) var retentionDays: Int
    /// Both nil until the session has ended.
    package private(set) var endTime: Date?
    package private(set) var deleteTime: Date?
    package var erasure: ErasureState
    /// Nil until somebody asks for the erasure, and for good when nobody does.
    package private(set) var requester: ErasureRequester?
    /// Where chat kept it, as chat declared when it erased the content; nil before, and if it did not say.
    package private(set) var chatRegion: Region?
    /// Which content keys it has.
    package var keys: ContentKeyVersions
    /// What was seen when its keys were destroyed; nil before.
    package private(set) var keyDestruction: KeyDestruction?
    /// What chat saw when it erased the content; nil before.
    package private(set) var contentErasure: ContentErasure?
    /// Whether chat has ever said that it holds it.
    package private(set) var isHeld: Bool
    /// The most questions that chat has ever said it holds.
    package private(set) var questionCount: Int64

    package init(
        id: String, organisationID: String, createTime: Date, agreementVersion: Int64, policyVersion: Int64,
        retentionDays: Int, endTime: Date? = nil, deleteTime: Date? = nil, erasure: ErasureState = .live,
        requester: ErasureRequester? = nil, chatRegion: Region? = nil,
        keys: ContentKeyVersions = ContentKeyVersions(), keyDestruction: KeyDestruction? = nil,
        contentErasure: ContentErasure? = nil, isHeld: Bool = false, questionCount: Int64 = 0
    ) {
        self.id = id
        self.organisationID = organisationID
        self.createTime = createTime
        self.agreementVersion = agreementVersion
        self.policyVersion = policyVersion
        self.retentionDays = retentionDays
        self.endTime = endTime
        self.deleteTime = deleteTime
        self.erasure = erasure
        self.requester = requester
        self.chatRegion = chatRegion
        self.keys = keys
        self.keyDestruction = keyDestruction
        self.contentErasure = contentErasure
        self.isHeld = isHeld
        self.questionCount = questionCount
    }

    /// Chat says how many questions it holds.
    package mutating func note(questions: Int64) { questionCount = max(questionCount, questions) }

    /// As a certificate has it of a session that is not on record, or is as it was before its erasure.
    ///
    /// - Parameter known: what is on record.
    package init(erasedAs statement: ErasureStatement, known: RetainedSession?) {
        self.init(
            id: statement.sessionID, organisationID: statement.organisationID,
            createTime: known?.createTime ?? statement.endTime ?? statement.keyDestroyedTime,
            agreementVersion: statement.agreementVersion, policyVersion: statement.policyVersion,
            retentionDays: Int(statement.retentionDays), endTime: statement.endTime, deleteTime: statement.deadline,
            erasure: .contentErased(
                statement.trigger, keyDestroyedAt: statement.keyDestroyedTime, at: statement.erasedTime),
            requester: statement.requester, chatRegion: statement.regions.chat,
            keys: known?.keys ?? ContentKeyVersions(), keyDestruction: statement.evidence.keys,
            contentErasure: statement.evidence.content, isHeld: known?.isHeld ?? false,
            questionCount: known?.questionCount ?? 0)
    }

    /// Its keys are gone.
    package mutating func destroyedKeys(
        _ destruction: KeyDestruction, at time: Date
    ) throws(ErasureState.OutOfOrder) {
        try erasure.destroyedKey(at: time)
        keyDestruction = destruction
    }

    /// Keys that were not found when they were to be destroyed have been found, and are gone since then.
    package mutating func foundKeys(
        _ destruction: KeyDestruction, at time: Date
    ) throws(ErasureState.OutOfOrder) {
        guard keyDestruction?.slots == 0 else { return }
        try erasure.foundKey(at: time)
        keyDestruction = destruction
    }

    /// Begins its erasure because somebody asks for it. One that has begun keeps who and what started it.
    package mutating func requestErasure(by requester: ErasureRequester) {
        guard erasure == .live else { return }
        erasure.request(.manual)
        self.requester = requester
    }

    /// Begins its erasure again, which an older folder knows nothing of.
    package mutating func requestErasure(for reason: ErasureReason) {
        guard erasure == .live else { return }
        erasure.request(reason.trigger)
        requester = reason.requester
    }

    /// Chat has erased the content, and said what it saw and where it was.
    package mutating func erasedContent(
        _ content: ContentErasure, in region: Region?, at time: Date
    ) throws(ErasureState.OutOfOrder) {
        try erasure.erasedContent(at: max(time, content.time))
        contentErasure = content
        chatRegion = region
    }

    /// Whether it makes sense that chat held nothing of it: it never spoke of it after it was registered.
    package var mayHaveHeldNothing: Bool { !isHeld && questionCount == 0 && endTime == nil }

    /// Fixes the time of erasure, once: a session ends for good. An end in the future would keep the session longer
    /// than the policy says, so it counts as ended now.
    package mutating func end(at time: Date, now: Date) {
        guard endTime == nil else { return }
        let ended = LedgerTime.rounded(min(time, now))
        endTime = ended
        deleteTime = LedgerTime.rounded(RetentionRule.deadline(ended: ended, days: retentionDays))
    }

    /// Applies a shorter retention time. The time of erasure only ever moves earlier (GDPR Art. 5(1)(e)): a longer one
    /// is for sessions to come.
    ///
    /// - Returns: whether anything changed.
    package mutating func clamp(to limit: RetentionLimit) -> Bool {
        guard erasure == .live, limit.days < retentionDays else { return false }
        retentionDays = limit.days
        switch limit {
        case .policy(let policy):
            policyVersion = policy.version
            agreementVersion = policy.agreementVersion
        case .cap(let agreement):
            agreementVersion = agreement.version
        }
        deleteTime = deadline(days: retentionDays)
        return true
    }

    /// When it is erased if it is kept for so many days, and never later than it is now; nil until it has ended.
    package func deadline(days: Int) -> Date? {
        guard let endTime, let deleteTime else { return nil }
        return min(deleteTime, LedgerTime.rounded(RetentionRule.deadline(ended: endTime, days: days)))
    }

    /// Whether its time has passed and its erasure has not begun.
    package func isOverdue(at now: Date) -> Bool {
        guard erasure == .live, let deleteTime else { return false }
        return now >= deleteTime
    }

    /// Whether its content may still be read: from the time of erasure on it may not, erased already or not.
    package func isVisible(at now: Date) -> Bool {
        erasure == .live && !isOverdue(at: now)
    }
}
