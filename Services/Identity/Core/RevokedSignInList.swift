package import Foundation

/// The sign-ins that ended before their time, for as long as one of their access tokens could still be good.
///
/// A token expires by the wall clock, which can step ahead and back. So a sign-in is forgotten when both clocks have left
/// its tokens behind: a step that is confirmed, or taken back, shortens nothing.
///
/// It is bounded, and safe when it is full: what is forgotten too early leaves a time behind, and every access token
/// issued by then is refused. Whoever is hit by that for nothing refreshes once.
package struct RevokedSignInList: Sendable, Equatable {
    /// The most that are known one by one.
    package static let most = 1000
    /// How far two machines' clocks may disagree, in seconds.
    private static let disagreement: TimeInterval = 60
    /// An access token's lifetime, and a minute for clocks that disagree.
    package static let lifetime = Lifetime.accessToken + disagreement

    private struct Entry: Sendable, Equatable {
        var id: String
        var times: ClockTimes
    }

    /// By rising wall time.
    private var entries: [Entry] = []
    /// The latest of what was forgotten too early; nil as long as nothing was.
    private var dropped: ClockTimes?
    /// When the wall clock was first seen to be back before `dropped`.
    private var takenBack: ClockTimes?

    package init() {}

    package var ids: [String] { entries.map(\.id) }

    /// The tokens issued by this time of the wall clock are refused; nil: only those of ``ids``.
    ///
    /// When the clock was taken back, tokens issued after this are good again. Services refuse those from ahead as such,
    /// until the clock comes there; then this refuses them.
    package var issuedUntil: Date? { takenBack?.wall ?? dropped?.wall }

    /// - Parameter times: when the sign-in was ended.
    package mutating func add(_ id: String, at times: ClockTimes) {
        let place = entries.lastIndex { $0.times.wall <= times.wall }.map { $0 + 1 } ?? 0
        entries.insert(Entry(id: id, times: times), at: place)
        guard entries.count > Self.most else { return }
        let forgotten = entries.removeFirst().times
        dropped = ClockTimes(
            wall: max(dropped?.wall ?? forgotten.wall, forgotten.wall),
            confirmed: max(dropped?.confirmed ?? forgotten.confirmed, forgotten.confirmed))
    }

    /// Forgets what no access token can be good for any more.
    package mutating func forget(at now: ClockTimes) {
        if entries.contains(where: { now.isPast($0.times, by: Self.lifetime) }) {
            entries.removeAll { now.isPast($0.times, by: Self.lifetime) }
        }
        guard let dropped else { return }
        if now.isPast(dropped, by: Self.lifetime) {
            (self.dropped, takenBack) = (nil, nil)
        } else if now.wall < dropped.wall - Self.disagreement {
            takenBack = takenBack ?? now
        } else {
            takenBack = nil
        }
    }
}
