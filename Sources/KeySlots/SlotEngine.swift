internal import Foundation

/// What was seen when a key was destroyed.
public struct SlotDestruction: Sendable, Hashable {
    /// Whether there was such a key, now or when its destruction was asked for before. If not, nothing was overwritten.
    public var wasHeld: Bool
    /// How the slot was read back as overwritten. nil if there was no key.
    public var readBack: ReadBack?
    /// Whether the slot lay in the same blocks of the device before and after; nil where the file system does not tell.
    public var stayedInPlace: Bool?

    public init(wasHeld: Bool, readBack: ReadBack? = nil, stayedInPlace: Bool? = nil) {
        self.wasHeld = wasHeld
        self.readBack = readBack
        self.stayedInPlace = stayedInPlace
    }
}

/// The files and the table together. One thread at a time has it; nothing here waits for anybody.
///
/// Changes are staged (written), then one `synchronise` makes all of them durable, then each is concluded.
final class SlotEngine {
    let slots: SlotFile
    let wrapping: WrappingKeyFile
    let memory: SecretMemory
    var table = SlotTable()
    var nextGeneration: UInt64 = 1
    /// Slots whose write or overwriting failed: cleared with the next changes, and free only then.
    var uncertain: Set<Int> = []
    /// Copies that were neither whole nor empty when the files were opened, and are cleared.
    var damagedCount = 0

    init(
        folder: String, memory: SecretMemory, outer: OuterKey?, slotsPerExtent: Int, now: Date
    ) throws(KeySlotError) {
        self.memory = memory
        let hasSlots = access(folder + "/slots", F_OK) == 0
        wrapping = try WrappingKeyFile(
            path: folder + "/wrapping-keys", outer: outer, memory: memory, mayCreate: !hasSlots, now: now)
        slots = try SlotFile(path: folder + "/slots", slotsPerExtent: slotsPerExtent)
        try load()
        try checkWrappingKeys()
        try wrapping.clearDamaged()
        try clearUncertain()
    }

    var count: Int { table.keyCount }
    var slotCount: Int { table.slotCount }
    var wrappingKeyCreateTime: Date { wrapping.current.createTime }
    var isChangingWrappingKey: Bool { !wrapping.replaced.isEmpty }
    /// Whether a change of the wrapping key is due because the one in use is not sealed, and can be.
    var isSealingDue: Bool { wrapping.isSealingDue }
    var risks: Set<Medium.Risk> { slots.risks }
    var names: [KeyName] { table.entries.filter { !$0.value.isCondemned }.map(\.key) }
    var marks: [KeyName] { table.entries.filter(\.value.isDestroyed).map(\.key) }

    func key(named name: KeyName) throws(KeySlotError) -> Secret? {
        guard let entry = table.entries[name], !entry.isCondemned else { return nil }
        return try secret(at: entry.place, named: name)
    }

    func synchronise() throws(KeySlotError) { try slots.synchronise() }

    // MARK: Making a key

    /// Writes a new key into a free slot. It is durable after the next `synchronise`.
    func stageKey(named name: KeyName) throws(KeySlotError) -> Secret {
        let secret = try memory.randomSecret()
        forgetMark(of: name)
        if table.freeCount == 0 { try clearUncertain() }
        if table.freeCount == 0 {
            try slots.appendExtent()
            table.append(slots: slots.slotsPerExtent)
        }
        guard let place = table.take(for: name, wrappingKey: wrapping.current.number) else {
            throw KeySlotError(.full, "no key slot is free")
        }
        do {
            try write(secret, named: name, at: place)
        } catch {
            abandonKey(named: name)
            throw error
        }
        return secret
    }

    /// The key was not made durable: it never was.
    func abandonKey(named name: KeyName) {
        if let slot = table.remove(name) { uncertain.insert(slot) }
    }

    // MARK: Destroying keys

    /// Where the slot lies on the device before it is overwritten.
    struct Overwriting {
        var name: KeyName
        var place: SlotTable.Place
        var physicalPlace: UInt64?
    }

    /// Overwrites a key in place, with the mark of its destruction; nobody is given it from now on. nil if there is none.
    func stageDestruction(of name: KeyName) throws(KeySlotError) -> Overwriting? {
        guard let entry = table.entries[name] else { return nil }
        if entry.isDestroyed { return Overwriting(name: name, place: entry.place) }
        table.condemn(name)
        let before = slots.physicalPlace(of: entry.place)
        // One sector holds the key or the mark, never neither.
        try slots.write(SlotRecord.mark(of: name), at: entry.place)
        try slots.clear(.init(slot: entry.place.slot, half: 1 - entry.place.half))
        return Overwriting(name: name, place: entry.place, physicalPlace: before)
    }

    /// After `synchronise`: reads the slots back. If one does not read as overwritten, its key stays condemned, and all can
    /// be asked for again.
    /// - Parameter overwritings: nil for a name that no slot held.
    func concludeDestructions(_ overwritings: [Overwriting?]) throws(KeySlotError) -> [SlotDestruction] {
        var seen: [SlotDestruction] = []
        var failure: KeySlotError?
        for overwriting in overwritings {
            guard let overwriting else {
                seen.append(SlotDestruction(wasHeld: false))
                continue
            }
            do throws(KeySlotError) {
                seen.append(try concludeDestruction(overwriting))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return seen
    }

    private func concludeDestruction(_ overwriting: Overwriting) throws(KeySlotError) -> SlotDestruction {
        var way = ReadBack.pastPageCache
        for half in 0...1 {
            let seen = try slots.readBack(.init(slot: overwriting.place.slot, half: half))
            let expected =
                half == overwriting.place.half ? SlotRecord.mark(of: overwriting.name) : SlotRecord.empty
            guard seen.bytes == expected else {
                throw KeySlotError(.notOverwritten, "a key slot does not read back as overwritten")
            }
            if seen.way == .afterDroppingCache { way = seen.way }
        }
        let after = slots.physicalPlace(of: overwriting.place)
        table.noteDestroyed(overwriting.name)
        return SlotDestruction(
            wasHeld: true, readBack: way,
            stayedInPlace: overwriting.physicalPlace.flatMap { before in after.map { $0 == before } })
    }

    /// Somebody has noted that this key was destroyed: its slot is free after the next changes.
    func forgetMark(of name: KeyName) {
        guard table.entries[name]?.isDestroyed == true, let slot = table.remove(name) else { return }
        uncertain.insert(slot)
    }

    // MARK: Slots of failed writes

    func stageClearing() throws(KeySlotError) {
        for slot in uncertain {
            for half in 0...1 { try slots.clear(.init(slot: slot, half: half)) }
        }
    }

    /// After `synchronise`.
    func concludeClearing() {
        for slot in uncertain { table.giveBack(slot) }
        uncertain = []
    }

    func clearUncertain() throws(KeySlotError) {
        guard !uncertain.isEmpty else { return }
        try stageClearing()
        try slots.synchronise()
        concludeClearing()
    }

    // MARK: Changing the wrapping key

    func beginChange(now: Date) throws(KeySlotError) { try wrapping.add(now: now) }

    /// Wraps the keys of one extent anew: each into its other half, durable, before the old half is overwritten.
    /// - Returns: false after the last extent.
    func rewrapExtent(_ extent: Int) throws(KeySlotError) -> Bool {
        guard extent < slots.extentCount else { return false }
        let range = extent * slots.slotsPerExtent..<(extent + 1) * slots.slotsPerExtent
        let current = wrapping.current.number
        let stale = table.entries.filter { range.contains($0.value.place.slot) && $0.value.wrappingKey != current }
        guard !stale.isEmpty else { return true }
        var moved: [KeyName: SlotTable.Entry] = [:]
        for (name, entry) in stale where !entry.isCondemned {
            guard let secret = try openedOrLost(name, entry) else { continue }
            let target = SlotTable.Place(slot: entry.place.slot, half: 1 - entry.place.half)
            try write(secret, named: name, at: target)
            moved[name] = entry
        }
        try slots.synchronise()
        for (name, entry) in moved {
            try slots.clear(entry.place)
            table.move(
                name, to: .init(slot: entry.place.slot, half: 1 - entry.place.half), wrappingKey: current)
        }
        try slots.synchronise()
        return true
    }

    /// nil for a slot that does not open with the key that it names, though that key opens others: it is damaged, and is
    /// cleared with the next change. One such slot must not keep a wrapping key alive that all the others are rid of.
    private func openedOrLost(_ name: KeyName, _ entry: SlotTable.Entry) throws(KeySlotError) -> Secret? {
        do throws(KeySlotError) {
            return try secret(at: entry.place, named: name)
        } catch  where error.code == .malformed {
            if let slot = table.remove(name) { uncertain.insert(slot) }
            damagedCount += 1
            return nil
        }
    }

    /// After every extent: destroys the replaced wrapping key.
    func endChange() throws(KeySlotError) {
        let current = wrapping.current.number
        let isDone = table.entries.values.allSatisfy { $0.wrappingKey == current || $0.isCondemned }
        guard isDone else { return }
        try clearUncertain()
        try wrapping.destroyReplaced()
    }

    // MARK: Private

    private func write(_ secret: Secret, named name: KeyName, at place: SlotTable.Place) throws(KeySlotError) {
        let record = try SlotRecord(
            wrapping: secret, named: name, at: place.slot, generation: nextGeneration, under: wrapping.current)
        nextGeneration += 1
        try slots.write(record, at: place)
    }

    func secret(at place: SlotTable.Place, named name: KeyName) throws(KeySlotError) -> Secret {
        guard case .used(let record) = try slots.read(place), record.name == name,
            let key = wrapping.key(record.wrappingKey)
        else { throw KeySlotError(.malformed, "a key slot does not hold what it held when it was opened") }
        return try record.unwrapped(at: place.slot, under: key, in: memory)
    }
}
