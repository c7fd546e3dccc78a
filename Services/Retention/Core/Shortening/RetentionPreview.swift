import Crypto
package import Foundation

/// What keeping a session for fewer days does to it, at one moment.
package enum ShorteningEffect: Sendable, Equatable {
    /// Kept as long as before: for so few days already, up to a calendar month either way, or erased in any case.
    case none
    /// Not ended: it will be erased sooner after its end.
    case unended
    /// Ended: erased earlier, but not yet.
    case moved(to: Date)
    /// Ended, and already older than that: erased at once.
    case erased(newDeleteTime: Date)
}

extension RetainedSession {
    package func effect(ofDays days: Int, at now: Date) -> ShorteningEffect {
        guard isVisible(at: now), days < retentionDays else { return .none }
        guard let deleteTime, let earlier = deadline(days: days) else { return .unended }
        guard earlier < deleteTime else { return .none }
        return earlier > now ? .moved(to: earlier) : .erased(newDeleteTime: earlier)
    }
}

/// What a shorter retention time would do to an organisation's sessions, at one moment: counted over all of them, and
/// told of the first.
package struct RetentionPreview: Sendable, Equatable {
    /// An ended session that is erased earlier.
    package struct Session: Sendable, Equatable {
        package let id: String
        package let endTime: Date
        package let deleteTime: Date
        package let newDeleteTime: Date
        package let isErasedAtOnce: Bool
    }

    /// The most sessions that are told of; all are counted.
    package static let sessionsShown = 100

    package let retentionDays: Int
    package let time: Date
    package private(set) var unended = 0
    package private(set) var moved = 0
    /// Sessions that are erased at once, in the order added.
    private var erasedIDs: [String] = []
    /// In the order added.
    package private(set) var sessions: [Session] = []

    package init(retentionDays: Int, at time: Date) {
        self.retentionDays = retentionDays
        self.time = time
    }

    package var erased: Int { erasedIDs.count }

    /// Names the days and exactly the sessions that are erased at once: hex SHA-256 of them, a line each. An id holds no
    /// line break.
    package var version: String {
        hexadecimal(SHA256.hash(data: Data(([String(retentionDays)] + erasedIDs).joined(separator: "\n").utf8)))
    }

    package mutating func add(_ session: RetainedSession) {
        switch session.effect(ofDays: retentionDays, at: time) {
        case .none: break
        case .unended: unended += 1
        case .moved(let newDeleteTime):
            moved += 1
            tell(of: session, newDeleteTime, isErasedAtOnce: false)
        case .erased(let newDeleteTime):
            erasedIDs.append(session.id)
            tell(of: session, newDeleteTime, isErasedAtOnce: true)
        }
    }

    private mutating func tell(of session: RetainedSession, _ newDeleteTime: Date, isErasedAtOnce: Bool) {
        guard sessions.count < Self.sessionsShown, let endTime = session.endTime, let deleteTime = session.deleteTime
        else { return }
        sessions.append(
            Session(
                id: session.id, endTime: endTime, deleteTime: deleteTime, newDeleteTime: newDeleteTime,
                isErasedAtOnce: isErasedAtOnce))
    }
}
