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
        /// Participants whose tokens were opened, by token. They go with the session.
        var participants: [String: Participant] = [:]
    }

    let capacity: Int
    /// Participants in memory, of all sessions, and of one, at most.
    let participants: (ofAll: Int, ofSession: Int)
    private(set) var participantCount = 0
    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0
    private(set) var generation: UInt64 = 0

    init(capacity: Int, participants: (ofAll: Int, ofSession: Int) = (65_536, 4_096)) {
        self.capacity = max(capacity, 1)
        self.participants = participants
    }

    mutating func session(_ id: String) -> OpenedSession? {
        uses += 1
        guard let index = entries.index(forKey: id) else { return nil }
        entries.values[index].lastUse = uses
        return entries.values[index].session
    }

    /// A session and, if they have been seen before, the participant who holds a token.
    mutating func session(_ id: String, token: String) -> (session: OpenedSession, participant: Participant?)? {
        uses += 1
        guard let index = entries.index(forKey: id) else { return nil }
        entries.values[index].lastUse = uses
        return (entries.values[index].session, entries.values[index].participants[token])
    }

    /// Remembers whom a token belongs to: opening one costs as much as sealing a question. Nothing is remembered for a
    /// session that is not in memory, so that nothing outlives it.
    mutating func remember(_ participant: Participant, token: String, in id: String) {
        guard let index = entries.index(forKey: id), entries.values[index].participants[token] == nil else { return }
        if entries.values[index].participants.count >= participants.ofSession { forgetParticipants(at: index) }
        if participantCount >= participants.ofAll, let most = sessionWithMostParticipants {
            forgetParticipants(at: most)
        }
        entries.values[index].participants[token] = participant
        participantCount += 1
    }

    private var sessionWithMostParticipants: Dictionary<String, Entry>.Index? {
        entries.indices.max { entries.values[$0].participants.count < entries.values[$1].participants.count }
    }

    private mutating func forgetParticipants(at index: Dictionary<String, Entry>.Index) {
        participantCount -= entries.values[index].participants.count
        entries.values[index].participants = [:]
    }

    private mutating func forget(_ id: String) {
        if let entry = entries.removeValue(forKey: id) { participantCount -= entry.participants.count }
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
        forget(id)
    }

    private mutating func insert(_ session: OpenedSession) {
        uses += 1
        if entries.count >= capacity, entries[session.id] == nil { forgetLeastUsed() }
        forget(session.id)
        entries[session.id] = Entry(session: session, lastUse: uses)
    }

    private mutating func forgetLeastUsed() {
        let count = max(capacity / SessionCache.forgottenShare, 1)
        let leastUsed = entries.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(count)
        for (id, _) in leastUsed { forget(id) }
    }
}

/// Who holds a participant's token.
struct Participant: Sendable, Hashable {
    let id: String
    /// Empty: anonymous.
    let name: String
}
