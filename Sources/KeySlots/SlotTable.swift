/// Which slot holds which key, and which are free. Free of I/O.
struct SlotTable: Sendable {
    /// Every slot has two halves; a key lies in one of them, and moves to the other when it is wrapped anew, so that a
    /// write that is torn costs the new copy and never the only one.
    struct Place: Sendable, Hashable {
        var slot: Int
        var half: Int
    }

    struct Entry: Sendable {
        var place: Place
        var wrappingKey: UInt32
        /// Somebody asked for its destruction: nobody is given it any more.
        var isCondemned = false
        /// The slot was seen to hold the mark of its destruction.
        var isDestroyed = false

        static func destroyed(at place: Place) -> Entry {
            Entry(place: place, wrappingKey: 0, isCondemned: true, isDestroyed: true)
        }
    }

    private(set) var entries: [KeyName: Entry] = [:]
    private var free: [Int] = []
    private(set) var slotCount = 0

    var freeCount: Int { free.count }

    /// Slots at the end of the file, all of them free.
    mutating func append(slots count: Int) {
        free.append(contentsOf: (slotCount..<slotCount + count).reversed())
        slotCount += count
    }

    /// Slots of which some are in use, as they were read.
    /// - Parameter withheld: slots that are neither in use nor free yet.
    mutating func append(
        slots count: Int, holding used: [(name: KeyName, entry: Entry)], except withheld: Set<Int> = []
    ) {
        let taken = Set(used.map(\.entry.place.slot)).union(withheld)
        free.append(contentsOf: (slotCount..<slotCount + count).reversed().filter { !taken.contains($0) })
        slotCount += count
        for (name, entry) in used { entries[name] = entry }
    }

    /// nil when no slot is free.
    mutating func take(for name: KeyName, wrappingKey: UInt32) -> Place? {
        guard let slot = free.popLast() else { return nil }
        let place = Place(slot: slot, half: 0)
        entries[name] = Entry(place: place, wrappingKey: wrappingKey)
        return place
    }

    /// The key is gone. Its slot is free once that is certain.
    mutating func remove(_ name: KeyName) -> Int? { entries.removeValue(forKey: name)?.place.slot }

    mutating func giveBack(_ slot: Int) { free.append(slot) }

    mutating func condemn(_ name: KeyName) { entries[name]?.isCondemned = true }

    mutating func noteDestroyed(_ name: KeyName) { entries[name]?.isDestroyed = true }

    /// Keys that are held.
    var keyCount: Int { entries.count - entries.values.count { $0.isDestroyed } }

    mutating func move(_ name: KeyName, to place: Place, wrappingKey: UInt32) {
        entries[name]?.place = place
        entries[name]?.wrappingKey = wrappingKey
    }
}
