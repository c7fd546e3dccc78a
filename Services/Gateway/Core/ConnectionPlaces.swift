package import Crypto

/// The places that connections take: so many in all, so many for one client, and so many for one IPv6 /48.
///
/// A connection that nothing has been asked on, or that has been answered, is idle. When there is no place left, an idle one
/// gives way to a new one: the one that has been idle for longest of the same client or network, when that is what has all
/// its own; otherwise of those that have been idle for longest one of whoever holds most. One that waits for an answer or
/// follows a feed never gives way.
///
/// Once three quarters of all places are taken they are *crowded*: a client may then hold a thirty-second part of as many as
/// are still free, a network an eighth, and either two at least. So there is a place for whoever holds none until more than
/// a hundred clients keep as many connections busy as they may: every address more is worth less.
///
/// Clients are told apart by keyed hashes of their addresses. The key is thrown away every day; connections that were
/// counted under the old one then count apart, until they are closed.
package struct ConnectionPlaces: Sendable {
    package typealias ID = Int

    /// A bound, by the name that it has in `GatewayConfiguration`.
    package enum Bound: String, CaseIterable, Sendable {
        case all = "maximumConnections"
        case perClient = "maximumConnectionsPerClient"
        case perNetwork = "maximumConnectionsPerNetwork"
    }

    package enum Decision: Sendable, Equatable {
        case admitted(ID)
        /// As admitted; the other one is to be closed, and counts no more.
        case admittedFor(ID, closing: ID, Bound)
        case refused(Bound)
    }

    private struct Place {
        /// The client, and its network if it has one; none for a trusted proxy.
        var holders: [ClientHash]
        /// Which of its times of idleness this is; an entry of another in a queue says nothing.
        var idleness: UInt64?
    }

    private struct Holder {
        var count = 0
        var idle = IdleQueue()
    }

    /// One that wants another place, and the most it may hold.
    private struct Claim {
        var holder: ClientHash
        var bound: Bound
        var most: Int
    }

    /// What everybody may hold, however crowded: one for a feed, and one for calls.
    private static let fewest = 2
    /// Of so many that have been idle for longest, one gives way.
    private static let candidates = 32

    private let maximum: Int
    private let maximumPerClient: Int
    private let maximumPerNetwork: Int
    private var hashes: ClientHashes
    private var places: [ID: Place] = [:]
    private var holders: [ClientHash: Holder] = [:]
    private var idle = IdleQueue()
    private var lastID = 0
    private var lastIdleness: UInt64 = 0

    package init(
        maximum: Int, maximumPerClient: Int, maximumPerNetwork: Int, now: ContinuousClock.Instant,
        makeKey: @escaping @Sendable () -> SymmetricKey = { SymmetricKey(size: .bits256) }
    ) {
        self.maximum = max(1, maximum)
        self.maximumPerClient = max(1, maximumPerClient)
        self.maximumPerNetwork = max(1, maximumPerNetwork)
        hashes = ClientHashes(now: now, makeKey: makeKey)
    }

    /// Connections that have a place.
    package var count: Int { places.count }

    /// Clients and networks that have one.
    package var holderCount: Int { holders.count }

    /// Entries kept for the order of idleness, for tests of what they cost.
    package var queueLength: Int { idle.count }

    /// A new connection, which is idle at first.
    ///
    /// - Parameter client: nil for a trusted proxy, whose connections are many clients'.
    package mutating func admit(_ client: ClientAddress?, now: ContinuousClock.Instant) -> Decision {
        hashes.renew(now: now)
        let claims = claims(of: client)
        var closed: (id: ID, bound: Bound)?
        if let claim = claims.first(where: { held(by: $0.holder) >= $0.most }) {
            guard let oldest = oldestIdle(of: claim.holder) else { return .refused(claim.bound) }
            closed = (oldest, claim.bound)
        } else if places.count >= maximum {
            guard let idle = idleOfWhoHoldsMost() else { return .refused(.all) }
            closed = (idle, .all)
        }
        if let closed { leave(closed.id) }
        lastID += 1
        places[lastID] = Place(holders: claims.map(\.holder))
        for claim in claims { holders[claim.holder, default: Holder()].count += 1 }
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
        for hash in place.holders {
            guard var holder = holders.removeValue(forKey: hash) else { continue }
            holder.idle.append(entry, keepingAtMost: holder.count) { Self.isIdle($0, in: places) }
            holders[hash] = holder
        }
    }

    /// Something has been asked on it.
    package mutating func becomeBusy(_ id: ID) { places[id]?.idleness = nil }

    /// It is closed.
    package mutating func leave(_ id: ID) {
        guard let place = places.removeValue(forKey: id) else { return }
        for holder in place.holders {
            holders[holder]?.count -= 1
            if holders[holder]?.count == 0 { holders[holder] = nil }
        }
    }

    private func held(by holder: ClientHash) -> Int { holders[holder]?.count ?? 0 }

    private func claims(of client: ClientAddress?) -> [Claim] {
        guard let client else { return [] }
        func share(_ most: Int, ofFree part: Int) -> Int {
            let isCrowded = places.count * 4 >= maximum * 3
            return isCrowded ? min(most, max(Self.fewest, (maximum - places.count) / part)) : most
        }
        let own = Claim(
            holder: hashes.hash(of: client, for: "connections"), bound: .perClient,
            most: share(maximumPerClient, ofFree: 32))
        guard let network = client.network else { return [own] }
        let shared = Claim(
            holder: hashes.hash(of: network, for: "connections"), bound: .perNetwork,
            most: share(maximumPerNetwork, ofFree: 8))
        return [own, shared]
    }

    private mutating func oldestIdle(of holder: ClientHash) -> ID? {
        holders[holder]?.idle.first { Self.isIdle($0, in: places) }
    }

    /// Of a trusted proxy's connections nobody holds any.
    private mutating func idleOfWhoHoldsMost() -> ID? {
        let oldest = idle.oldest(Self.candidates) { Self.isIdle($0, in: places) }
        func most(_ id: ID) -> Int { places[id]?.holders.map(held).max() ?? 0 }
        // Of those who hold as many, the one that comes first.
        return oldest.reduce(nil) { found, id in
            guard let found else { return id }
            return most(id) > most(found) ? id : found
        }
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

    /// So many at most, of as many entries; at least one if any is idle.
    mutating func oldest(_ count: Int, where isIdle: (Entry) -> Bool) -> [ConnectionPlaces.ID] {
        guard first(where: isIdle) != nil else { return [] }
        return entries[start..<min(entries.count, start + count)].filter(isIdle).map(\.id)
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
