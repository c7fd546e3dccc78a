package import Foundation

/// The sign-ins that ended before their time, for as long as one of their access tokens could still be good.
///
/// It is bounded, and safe when it is full: what is forgotten too early leaves a time behind, and every access token
/// issued by then is refused. Whoever is hit by that for nothing refreshes once.
package struct RevokedSignInList: Sendable, Equatable {
    /// The most that are known one by one.
    package static let most = 1000
    /// An access token's lifetime, and a minute for clocks that disagree.
    package static let lifetime = Lifetime.accessToken + 60

    private struct Entry: Sendable, Equatable {
        var id: String
        var time: Date
    }

    /// By rising time.
    private var entries: [Entry] = []
    /// Nil as long as nothing was forgotten too early.
    package private(set) var issuedUntil: Date?

    package init() {}

    package var ids: [String] { entries.map(\.id) }

    /// - Parameter time: when the sign-in was ended; no earlier than those before.
    package mutating func add(_ id: String, at time: Date) {
        forget(at: time)
        entries.append(Entry(id: id, time: time))
        guard entries.count > Self.most else { return }
        let forgotten = entries.removeFirst()
        issuedUntil = max(issuedUntil ?? forgotten.time, forgotten.time)
    }

    /// Forgets what no access token can be good for any more.
    package mutating func forget(at now: Date) {
        let latest = now - Self.lifetime
        if let first = entries.first, first.time <= latest { entries.removeAll { $0.time <= latest } }
        if let until = issuedUntil, until <= latest { issuedUntil = nil }
    }
}
