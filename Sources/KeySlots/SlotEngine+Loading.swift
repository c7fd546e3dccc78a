internal import Foundation

// What is done once, when the files are opened.

extension SlotEngine {
    /// Reads every slot, and ends what a crash has left half-done: of two copies the older one, and what is neither
    /// whole nor empty, is cleared.
    func load() throws(KeySlotError) {
        // By slot.
        var generations: [Int: UInt64] = [:]
        for extent in 0..<slots.extentCount {
            let bytes = try slots.readExtent(extent)
            var used: [(name: KeyName, entry: SlotTable.Entry)] = []
            var cleared = false
            for index in 0..<slots.slotsPerExtent {
                let slot = extent * slots.slotsPerExtent + index
                var copies: [(half: Int, record: SlotRecord)] = []
                var destroyed: (half: Int, name: KeyName)?
                for half in 0...1 {
                    let start = (half * slots.slotsPerExtent + index) * SlotRecord.byteCount
                    switch SlotRecord.read(bytes[start..<start + SlotRecord.byteCount]) {
                    case .free: break
                    case .used(let record): copies.append((half, record))
                    case .destroyed(let name): destroyed = (half, name)
                    case .damaged:
                        damagedCount += 1
                        cleared = true
                        try slots.clear(.init(slot: slot, half: half))
                    }
                }
                if let destroyed {
                    // Its destruction was begun: what the other half holds goes too.
                    for copy in copies {
                        cleared = true
                        try slots.clear(.init(slot: slot, half: copy.half))
                    }
                    let place = SlotTable.Place(slot: slot, half: destroyed.half)
                    used.append((destroyed.name, .destroyed(at: place)))
                    continue
                }
                guard let newest = copies.max(by: { $0.record.generation < $1.record.generation }) else { continue }
                for copy in copies where copy.half != newest.half {
                    cleared = true
                    try slots.clear(.init(slot: slot, half: copy.half))
                }
                guard wrapping.key(newest.record.wrappingKey) != nil else {
                    throw KeySlotError(
                        .wrappingKeyMissing, "key slots are wrapped under a key that the wrapping file does not hold")
                }
                nextGeneration = max(nextGeneration, newest.record.generation + 1)
                generations[slot] = newest.record.generation
                let place = SlotTable.Place(slot: slot, half: newest.half)
                used.append((newest.record.name, .init(place: place, wrappingKey: newest.record.wrappingKey)))
            }
            if cleared { try slots.synchronise() }
            table.append(slots: slots.slotsPerExtent, holding: withoutOlder(used, generations), except: uncertain)
        }
    }

    /// A name that lies in two slots, because a slot whose write had failed was not cleared before a crash: the later
    /// one counts, and the other is cleared.
    private func withoutOlder(
        _ used: [(name: KeyName, entry: SlotTable.Entry)], _ generations: [Int: UInt64]
    ) -> [(name: KeyName, entry: SlotTable.Entry)] {
        var kept: [KeyName: SlotTable.Entry] = [:]
        for (name, entry) in used {
            guard let other = kept[name] ?? table.entries[name] else {
                kept[name] = entry
                continue
            }
            let isLater = generations[entry.place.slot, default: 0] > generations[other.place.slot, default: 0]
            uncertain.insert(isLater ? other.place.slot : entry.place.slot)
            guard isLater else { continue }
            _ = table.remove(name)
            kept[name] = entry
        }
        return kept.map { ($0.key, $0.value) }
    }

    /// A wrapping key that opens none of the slots that name it is another key: nothing must be written under it.
    func checkWrappingKeys() throws(KeySlotError) {
        let held = table.entries.filter { !$0.value.isCondemned }
        for number in Set(held.values.map(\.wrappingKey)) {
            var opensOne = false
            for (name, entry) in held where entry.wrappingKey == number {
                opensOne = (try? secret(at: entry.place, named: name)) != nil
                if opensOne { break }
            }
            guard opensOne else {
                throw KeySlotError(.wrappingKeyMissing, "no key slot opens with the wrapping key that it names")
            }
        }
    }
}
