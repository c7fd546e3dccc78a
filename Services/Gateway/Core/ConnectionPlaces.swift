package import Crypto

/// The places that connections take: so many in all, and so many for one client.
///
/// A connection that nothing has been asked on, or that has been answered, is idle. When there is no place left, the
/// one that has been idle for longest gives way to a new one: of the same client, when it is the client that has all its
/// own; otherwise of anybody. One that waits for an answer or follows a feed never does.
///
/// Clients are told apart by keyed hashes of their addresses. The key is thrown away every day; connections that were
/// counted under the old one then count apart, until they are closed.
package struct ConnectionPlaces: Sendable {
    package typealias ID = Int

    /// A bound, by the name that it has in `GatewayConfiguration`.
    package enum Bound: String, CaseIterable, Sendable {
        case all = "maximumConnections"
        case perClient = "maximumConnectionsPerClient"
    }

    package enum Decision: Sendable, Equatable {
        case admitted(ID)
        /// As admitted; the other one is to be closed, and counts no more.
        case admittedFor(ID, closing: ID, Bound)
        case refused(Bound)
    }

    private struct Place {
        var client: ClientHash?
        /// Which of its times of idleness this is; an entry of another in a queue says nothing.
        var idleness: UInt64?
    }

    private struct Client {
        var count = 0
        var idle = IdleQueue()
    }

    private let maximum: Int
    private let maximumPerClient: Int
    private var hashes: ClientHashes
    private var places: [ID: Place] = [:]
    private var clients: [ClientHash: Client] = [:]
    private var idle = IdleQueue()
    private var lastID = 0
    private var lastIdleness: UInt64 = 0

    package init(
        maximum: Int, maximumPerClient: Int, now: ContinuousClock.Instant,
        makeKey: @escaping @Sendable () -> SymmetricKey = { SymmetricKey(size: .bits256) }
    ) {
        self.maximum = max(1, maximum)
        self.maximumPerClient = max(1, maximumPerClient)
        hashes = ClientHashes(now: now, makeKey: makeKey)
    }

    /// Connections that have a place.
    package var count: Int { places.count }

    /// Clients that have one.
    package var clientCount: Int { clients.count }

    /// Entries kept for the order of idleness, for tests of what they cost.
    package var queueLength: Int { idle.count }

    /// A new connection, which is idle at first.
    ///
    /// - Parameter client: nil for a trusted proxy, whose connections are many clients'.
    package mutating func admit(_ client: ClientAddress?, now: ContinuousClock.Instant) -> Decision {
        hashes.renew(now: now)
        let hash = client.map { hashes.hash(of: $0, for: "connections") }
        var closed: (id: ID, bound: Bound)?
        if let hash, let own = clients[hash], own.count >= maximumPerClient {
            guard let oldest = oldestIdle(of: hash) else { return .refused(.perClient) }
            closed = (oldest, .perClient)
        } else if places.count >= maximum {
            guard let oldest = oldestIdle() else { return .refused(.all) }
            closed = (oldest, .all)
        }
        if let closed { leave(closed.id) }
        lastID += 1
        places[lastID] = Place(client: hash)
        if let hash { clients[hash, default: Client()].count += 1 }
        becomeIdle(lastID)
        return closed.map { .admittedFor(lastID, closing: $0.id, $0.bound) } ?? .admitted(lastID)
    }

    /// It has been answered, and nothing more was asked.
    package mutating func becomeIdle(_ id: ID) {
        guard let place = places[id], place.idleness == nil else { return }
        lastIdleness += 1
        places[id]?.idleness = lastIdleness
        let entry = IdleQueue.Entry(id: id, idleness: lastIdleness)
        idle.append(entry, keepingAtMost: places.count) { Self.isIdle($0, in: places) }
        guard let hash = place.client, var client = clients.removeValue(forKey: hash) else { return }
        client.idle.append(entry, keepingAtMost: client.count) { Self.isIdle($0, in: places) }
        clients[hash] = client
    }

    /// Something has been asked on it.
    package mutating func becomeBusy(_ id: ID) { places[id]?.idleness = nil }

    /// It is closed.
    package mutating func leave(_ id: ID) {
        guard let place = places.removeValue(forKey: id), let hash = place.client else { return }
        clients[hash]?.count -= 1
        if clients[hash]?.count == 0 { clients[hash] = nil }
    }

    private mutating func oldestIdle() -> ID? { idle.first { Self.isIdle($0, in: places) } }

    private mutating func oldestIdle(of hash: ClientHash) -> ID? {
        clients[hash]?.idle.first { Self.isIdle($0, in: places) }
    }

    private static func isIdle(_ entry: IdleQueue.Entry, in places: [ID: Place]) -> Bool {
        places[entry.id]?.idleness == entry.idleness
    }
}

/// Idle connections in the order they became so. Those that are idle no more are dropped when they come first, or when
/// there are more of them than of the others.
private struct IdleQueue: Sendable {
    struct Entry: Sendable {
        var id: ConnectionPlaces.ID
        var idleness: UInt64
    }

    private var entries: [Entry] = []
    private var start = 0

    var count: Int { entries.count }

    mutating func append(_ entry: Entry, keepingAtMost count: Int, isIdle: (Entry) -> Bool) {
        if entries.count >= 2 * count + 16 {
            entries = entries[start...].filter(isIdle)
            start = 0
        }
        entries.append(entry)
    }

    mutating func first(where isIdle: (Entry) -> Bool) -> ConnectionPlaces.ID? {
        while start < entries.count {
            if isIdle(entries[start]) { return entries[start].id }
            start += 1
        }
        entries = []
        start = 0
        return nil
    }
}
