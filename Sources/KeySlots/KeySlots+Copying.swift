public import Foundation

/// A copy of key slots under a wrapping key of its own: what wraps the slots themselves never leaves them.
public struct KeySlotsCopy: Sendable {
    let key: WrappingKey
    /// What goes into the copy's `wrapping-keys`: sealed under the outer key, if there is one. Wipe it after use.
    public let wrappingKeys: [UInt8]
    /// What goes into the copy's `slots`, before the extents.
    public let slotsHead: [UInt8]
}

extension KeySlots {
    /// Begins a copy, which ``extent(_:of:)`` goes on with. The two files open as these slots do.
    public func beginCopy(now: Date = Date()) async throws(KeySlotError) -> KeySlotsCopy {
        try await perform { engine throws(KeySlotError) in try engine.beginCopy(now: now) }
    }

    /// An extent of the copy, with the keys that are held at this moment. Others are served between two extents.
    /// - Returns: nil after the last.
    public func extent(_ index: Int, of copy: KeySlotsCopy) async throws(KeySlotError) -> [UInt8]? {
        try await perform { engine throws(KeySlotError) in try engine.extent(index, under: copy.key) }
    }
}

extension SlotEngine {
    func beginCopy(now: Date) throws(KeySlotError) -> KeySlotsCopy {
        let key = WrappingKey(
            number: .random(in: 1...UInt32.max), order: 1, createTime: now, secret: try memory.randomSecret())
        return KeySlotsCopy(
            key: key, wrappingKeys: try wrapping.contents(for: key),
            slotsHead: SlotFile.head(slotsPerExtent: slots.slotsPerExtent))
    }

    func extent(_ extent: Int, under key: WrappingKey) throws(KeySlotError) -> [UInt8]? {
        guard extent < slots.extentCount else { return nil }
        let first = extent * slots.slotsPerExtent
        var bytes = [UInt8](repeating: 0, count: 2 * slots.slotsPerExtent * SlotRecord.byteCount)
        for (name, entry) in table.entries where entry.place.slot / slots.slotsPerExtent == extent && !entry.isCondemned
        {
            let record = try SlotRecord(
                wrapping: try secret(at: entry.place, named: name), named: name, at: entry.place.slot, generation: 1,
                under: key)
            let start = (entry.place.slot - first) * SlotRecord.byteCount
            bytes.replaceSubrange(start..<start + SlotRecord.byteCount, with: record.bytes)
        }
        return bytes
    }
}
