internal import ChatCore

/// Sessions in memory, the least recently used forgotten first. Free of I/O; the directory keeps it in a `Mutex`.
///
/// What is read from the database may be older than a change that is committed meanwhile. So every change counts as a
/// generation, and what was read is kept only if no change came between.
struct SessionCache: Sendable {
    /// Of those that are forgotten, at once: sorting all of them to find one would cost too much.
    private static let forgottenShare = 10

    private struct Entry {
        var session: OpenedSession
        var lastUse: UInt64
    }

    let capacity: Int
    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0
    private(set) var generation: UInt64 = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    mutating func session(_ id: String) -> OpenedSession? {
        uses += 1
        guard let index = entries.index(forKey: id) else { return nil }
        entries.values[index].lastUse = uses
        return entries.values[index].session
    }

    /// Keeps what was read while the cache was at a generation.
    /// - Returns: false if it may be out of date by now, and was not kept.
    mutating func keep(_ session: OpenedSession, readAt generation: UInt64) -> Bool {
        guard generation == self.generation else { return false }
        insert(session)
        return true
    }

    /// A change is committed. Only a session that is in memory is kept up to date; any other is read when it is needed.
    mutating func change(to stored: StoredSession) {
        generation += 1
        guard let entry = entries[stored.record.id] else { return }
        entries[stored.record.id]?.session = entry.session.changed(to: stored)
    }

    /// The same, with a new content key.
    mutating func change(to stored: StoredSession, cipher: SessionCipher) {
        generation += 1
        guard let entry = entries[stored.id] else { return }
        entries[stored.id]?.session = OpenedSession(stored: stored, cipher: cipher, title: entry.session.title)
    }

    mutating func add(_ session: OpenedSession) {
        generation += 1
        insert(session)
    }

    mutating func remove(_ id: String) {
        generation += 1
        entries[id] = nil
    }

    private mutating func insert(_ session: OpenedSession) {
        uses += 1
        if entries.count >= capacity, entries[session.id] == nil { forgetLeastUsed() }
        entries[session.id] = Entry(session: session, lastUse: uses)
    }

    private mutating func forgetLeastUsed() {
        let count = max(capacity / SessionCache.forgottenShare, 1)
        let leastUsed = entries.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(count)
        for (id, _) in leastUsed { entries[id] = nil }
    }
}
