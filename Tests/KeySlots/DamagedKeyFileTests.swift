import Foundation
import Testing

@testable import KeySlots

@Suite("Key slots of files that do not belong together, or are damaged")
struct DamagedKeyFileTests {
    private let folder: TemporaryFolder
    private let memory: SecretMemory

    init() throws {
        folder = try TemporaryFolder()
        memory = try SecretMemory(capacity: 2_000)
    }

    private var wrappingPath: URL { URL(fileURLWithPath: folder.path + "/wrapping-keys") }
    private var slotsPath: URL { URL(fileURLWithPath: folder.path + "/slots") }

    private func engine(outer: OuterKey? = nil) throws(KeySlotError) -> SlotEngine {
        try SlotEngine(folder: folder.path, memory: memory, outer: outer, slotsPerExtent: 8, now: Date())
    }

    private func makeKeys(_ names: [String]) throws -> [String: [UInt8]] {
        let engine = try engine()
        var keys: [String: [UInt8]] = [:]
        for name in names { keys[name] = try engine.stageKey(named: KeyName(name)).bytes }
        try engine.synchronise()
        return keys
    }

    private func expectRefused(_ code: KeySlotError.Code) throws {
        let before = [try Data(contentsOf: wrappingPath), try Data(contentsOf: slotsPath)]
        #expect { try engine() } throws: { ($0 as? KeySlotError)?.code == code }
        #expect([try Data(contentsOf: wrappingPath), try Data(contentsOf: slotsPath)] == before)
    }

    private func flip(_ bit: Int, of url: URL, at offset: Int) throws {
        var bytes = try Data(contentsOf: url)
        bytes[offset] ^= UInt8(1 << bit)
        try bytes.write(to: url)
    }

    @Test(
        "one flipped bit of the only wrapping key is refused, and flipped back every key is there",
        arguments: [0, 4, 30, 70])
    func flippedBit(offset: Int) throws {
        let keys = try makeKeys(["one", "two"])
        try flip(3, of: wrappingPath, at: offset)
        try expectRefused(.malformed)
        try flip(3, of: wrappingPath, at: offset)
        #expect(try engine().key(named: KeyName("one"))?.bytes == keys["one"])
    }

    @Test("a damaged wrapping key that slots still need is refused; one that none needs was torn, and is cleared")
    func damagedSecondKey() throws {
        let keys = try makeKeys(["one", "two"])
        do { try engine().beginChange(now: Date()) }
        // The old one, which all slots are wrapped under.
        try flip(0, of: wrappingPath, at: 25)
        try expectRefused(.wrappingKeyMissing)
        try flip(0, of: wrappingPath, at: 25)
        // The new one, which none is.
        try flip(0, of: wrappingPath, at: 4_096 + 25)
        let opened = try engine()
        #expect(!opened.isChangingWrappingKey)
        #expect(try opened.key(named: KeyName("two"))?.bytes == keys["two"])
        #expect(try Data(contentsOf: wrappingPath)[4_096...].allSatisfy { $0 == 0 })
    }

    @Test("slots without their wrapping keys, or with those of another folder, are refused")
    func foreignWrappingKey() throws {
        _ = try makeKeys(["one"])
        let own = try Data(contentsOf: wrappingPath)
        try FileManager.default.removeItem(at: wrappingPath)
        #expect { try engine() } throws: { ($0 as? KeySlotError)?.code == .wrappingKeyMissing }
        #expect(!FileManager.default.fileExists(atPath: wrappingPath.path))
        let other = try TemporaryFolder()
        _ = try SlotEngine(folder: other.path, memory: memory, outer: nil, slotsPerExtent: 8, now: Date())
        try Data(contentsOf: URL(fileURLWithPath: other.path + "/wrapping-keys")).write(to: wrappingPath)
        try expectRefused(.wrappingKeyMissing)
        try own.write(to: wrappingPath)
        #expect(try engine().key(named: KeyName("one")) != nil)
    }

    @Test("a slot that alone does not open is cleared by a change of the wrapping key, which ends")
    func slotThatDoesNotOpen() throws {
        let names = (0..<12).map(String.init)
        let keys = try makeKeys(names)
        // The tag of the second slot, and its checksum made right again.
        let bytes = try Data(contentsOf: slotsPath)
        let start = 4_096 + SlotRecord.byteCount
        guard case .used(var record) = SlotRecord.read(Array(bytes)[start..<start + SlotRecord.byteCount]) else {
            throw KeySlotError(.malformed, "there is no such slot")
        }
        record.sealed[40] ^= 1
        try (bytes[..<start] + Data(record.bytes) + bytes[(start + SlotRecord.byteCount)...]).write(to: slotsPath)
        let old = try Data(contentsOf: wrappingPath)
        do {
            let engine = try engine()
            try engine.beginChange(now: Date())
            for extent in 0..<2 { _ = try engine.rewrapExtent(extent) }
            try engine.endChange()
            #expect(!engine.isChangingWrappingKey && engine.damagedCount == 1)
        }
        let after = try Data(contentsOf: wrappingPath)
        #expect(after.range(of: old[21..<53]) == nil)
        let reopened = try engine()
        for name in names {
            let key = try reopened.key(named: KeyName(name))?.bytes
            #expect(key == (name == "1" ? nil : keys[name]))
        }
        // Its slot is free, and is given out once.
        var new: [String: [UInt8]] = [:]
        for number in 0..<5 { new["new \(number)"] = try reopened.stageKey(named: KeyName("new \(number)")).bytes }
        try reopened.synchronise()
        let last = try engine()
        #expect(last.slotCount == 16 && last.count == 16)
        for (name, key) in new { #expect(try last.key(named: KeyName(name))?.bytes == key) }
    }

    @Test("of two slots with one name the later one counts, and the other is overwritten")
    func twoSlots() throws {
        let first = try makeKeys(["one"])["one"]
        let old = Array(try Data(contentsOf: slotsPath))[4_096..<4_096 + SlotRecord.byteCount]
        do {
            let engine = try engine()
            _ = try engine.stageKey(named: KeyName("between"))
            let gone = try #require(try engine.stageDestruction(of: KeyName("one")))
            try engine.synchronise()
            _ = try engine.concludeDestructions([gone])
            engine.forgetMark(of: KeyName("one"))
            _ = try engine.stageKey(named: KeyName("blocker"))
            _ = try engine.stageKey(named: KeyName("one"))
            _ = try engine.stageDestruction(of: KeyName("blocker"))
            try engine.synchronise()
        }
        var bytes = try Data(contentsOf: slotsPath)
        bytes.replaceSubrange(4_096..<4_096 + SlotRecord.byteCount, with: Data(old))
        try bytes.write(to: slotsPath)
        let opened = try engine()
        let key = try opened.key(named: KeyName("one"))?.bytes
        #expect(key != nil && key != first)
        #expect(opened.count == 2)
        let cleared = try Data(contentsOf: slotsPath)[4_096..<4_096 + SlotRecord.byteCount]
        #expect(cleared.allSatisfy { $0 == 0 })
    }

    @Test("a wrapping key that is not sealed is to be changed once there is a key to seal it under")
    func sealing() throws {
        let keys = try makeKeys(["one"])
        let outer = try OuterKey(bytes: Data(repeating: 7, count: 32), in: memory)
        let engine = try engine(outer: outer)
        #expect(engine.isSealingDue)
        try engine.beginChange(now: Date())
        _ = try engine.rewrapExtent(0)
        try engine.endChange()
        #expect(!engine.isSealingDue)
        #expect(try self.engine(outer: outer).key(named: KeyName("one"))?.bytes == keys["one"])
        #expect { try self.engine() } throws: { ($0 as? KeySlotError)?.code == .wrappingKeyMissing }
    }

    @Test("what was seen of keys whose destruction failed for another one's sake is told when it is asked again")
    func oneOfABatchFails() throws {
        _ = try makeKeys(["one", "two"])
        let engine = try engine()
        let names = [KeyName("one"), KeyName("two")]
        var staged = try names.map { try engine.stageDestruction(of: $0) }
        // The second is written again behind the engine's back, as a medium might that ignores writes.
        try engine.synchronise()
        let handle = try FileHandle(forUpdating: slotsPath)
        try handle.seek(toOffset: UInt64(4_096 + SlotRecord.byteCount))
        try handle.write(contentsOf: Data(repeating: 9, count: SlotRecord.byteCount))
        try handle.synchronize()
        #expect { try engine.concludeDestructions(staged) } throws: { ($0 as? KeySlotError)?.code == .notOverwritten }
        staged = try names.map { try engine.stageDestruction(of: $0) }
        try engine.synchronise()
        let seen = try engine.concludeDestructions(staged)
        #expect(seen.map(\.wasHeld) == [true, true] && seen.allSatisfy { $0.readBack != nil })
    }
}
