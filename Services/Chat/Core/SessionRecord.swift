package import Foundation
internal import Privacy

/// A session without its title, which is sealed. Times have whole milliseconds.
package struct SessionRecord: Sendable, Hashable {
    package let id: String
    package let organisationID: String
    package private(set) var state: SessionState
    package let createTime: Date
    /// Absent until opened.
    package private(set) var openTime: Date?
    /// Absent until ended.
    package private(set) var endTime: Date?
    /// When the log is gone. Absent until ended.
    package private(set) var deleteTime: Date?
    /// As agreed when the session was created, or fewer: its organisation may keep sessions for a shorter time since.
    package private(set) var retentionDays: Int

    /// A new session, in draft.
    package init(id: String, organisationID: String, createTime: Date, retentionDays: Int) {
        self.init(
            id: id, organisationID: organisationID, state: .draft, createTime: createTime.wholeMilliseconds,
            openTime: nil, endTime: nil, deleteTime: nil, retentionDays: retentionDays)
    }

    /// A session as it was stored.
    package init(
        id: String, organisationID: String, state: SessionState, createTime: Date, openTime: Date?, endTime: Date?,
        deleteTime: Date?, retentionDays: Int
    ) {
        self.id = id
        self.organisationID = organisationID
        self.state = state
        self.createTime = createTime
        self.openTime = openTime
        self.endTime = endTime
        self.deleteTime = deleteTime
        self.retentionDays = retentionDays
    }

    /// From its `deleteTime` on a session does not exist for anybody, whether or not its rows are erased yet.
    package func isVisible(at now: Date) -> Bool {
        guard let deleteTime else { return true }
        return now < deleteTime
    }

    /// - Returns: Whether anything changed.
    package mutating func open(at now: Date) throws(ChatError) -> Bool {
        guard try state.open() else { return false }
        openTime = max(now.wholeMilliseconds, createTime)
        return true
    }

    /// Fixes the end and with it the time of erasure (GDPR Art. 5(1)(e)), whatever happens in the session later.
    /// - Returns: Whether anything changed.
    package mutating func end(at now: Date) -> Bool {
        guard state.end() else { return false }
        // A clock that was set back does not make the session end before it began.
        let ended = max(now.wholeMilliseconds, openTime ?? createTime)
        endTime = ended
        deleteTime = RetentionRule.deadline(ended: ended, days: retentionDays)
        return true
    }

    /// Takes over an earlier time of erasure; a later one is ignored, since none outlives what was fixed at the end.
    /// - Returns: Whether anything changed.
    package mutating func adopt(deleteTime earlier: Date) -> Bool {
        guard let deleteTime, earlier.wholeMilliseconds < deleteTime else { return false }
        self.deleteTime = earlier.wholeMilliseconds
        return true
    }

    /// Keeps the session for fewer days, up to an earlier time of erasure: by the days, and by the time if one is given.
    /// What is later is ignored.
    /// - Parameter time: Not known to whoever has not heard of the end.
    /// - Returns: Whether anything changed.
    package mutating func shorten(days: Int, deleteTime time: Date?) -> Bool {
        let isShorter = days < retentionDays
        if isShorter { retentionDays = days }
        let byDays = endTime.map { RetentionRule.deadline(ended: $0, days: retentionDays) }
        let isEarlier = [byDays, time].compactMap(\.self).min().map { adopt(deleteTime: $0) } ?? false
        return isShorter || isEarlier
    }

    /// When a session that nobody ends is ended for them.
    package func latestEnd(maximumDays: Int) -> Date {
        createTime.addingTimeInterval(TimeInterval(maximumDays) * 86_400)
    }
}

extension Date {
    /// Times are stored and sent with this resolution, so they are rounded down to it when they are made.
    package var wholeMilliseconds: Date { Date(milliseconds: milliseconds) }

    /// Since 1970-01-01T00:00:00Z, rounded down.
    package var milliseconds: Int64 {
        // A Date counts from 2001; the sum with 1970's offset is off by less than a microsecond.
        Int64((timeIntervalSince1970 * 1000 + 0.001).rounded(.down))
    }

    package init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}
