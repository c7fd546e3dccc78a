import Foundation
import Testing

@testable import KeySlots

/// A folder of its own for one test, removed when the test has let go of it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("samtal-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension Secret {
    var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}

@Suite("Key slots")
struct KeySlotsTests {
    private let folder: TemporaryFolder
    private let memory: SecretMemory

    init() throws {
        folder = try TemporaryFolder()
        memory = try SecretMemory(capacity: 2_000)
    }

    private func open(outer: OuterKey? = nil, slotsPerExtent: Int = 8) throws(KeySlotError) -> KeySlots {
        try KeySlots(folder: folder.path, memory: memory, outer: outer, slotsPerExtent: slotsPerExtent)
    }

    @Test("a key stays the same, across a restart too, until it is destroyed")
    func life() async throws {
        let name = KeyName("a-session")
        var slots = try open()
        let key = try await slots.keyOrNew(named: name).bytes
        #expect(try await slots.keyOrNew(named: name).bytes == key)
        #expect(try await slots.key(named: KeyName("another")) == nil)
        await slots.close()

        slots = try open()
        #expect(try await slots.key(named: name)?.bytes == key)
        let seen = try await slots.destroy([name, KeyName("another")])
        #expect(seen.map(\.wasHeld) == [true, false])
        #expect(seen[0].readBack != nil)
        #expect(try await slots.key(named: name) == nil)
        await slots.close()

        slots = try open()
        #expect(try await slots.key(named: name) == nil)
        #expect(try await slots.keyOrNew(named: name).bytes != key)
        await slots.close()
    }

    @Test("hundreds of keys made and destroyed at once, over many extents, end as one after the other would")
    func manyAtOnce() async throws {
        let slots = try open()
        let names = (0..<300).map { KeyName("\($0)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names { group.addTask { _ = try await slots.keyOrNew(named: name) } }
            try await group.waitForAll()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names[..<200] {
                group.addTask {
                    let seen = try await slots.destroy([name])
                    #expect(seen.map(\.wasHeld) == [true])
                }
            }
            try await group.waitForAll()
        }
        #expect(try await slots.names() == Set(names[200...]))
        let counts = try await slots.counts()
        #expect(counts.keys == 100)
        #expect(counts.slots >= 300)
        // Freed slots are used again: the file does not grow.
        try await slots.forget(Array(names[..<200]))
        for index in 0..<200 { _ = try await slots.keyOrNew(named: KeyName("again \(index)")) }
        #expect(try await slots.counts().slots == counts.slots)
        #expect(memory.count <= 10, "keys that nobody holds are not in memory")
        await slots.close()
        let reopened = try open()
        #expect(try await reopened.counts().keys == 300)
        await reopened.close()
    }

    @Test("a change of the wrapping key keeps every key, and what was copied before can't be opened with the new one")
    func changeOfWrappingKey() async throws {
        let slots = try open()
        var keys: [KeyName: [UInt8]] = [:]
        for index in 0..<30 { keys[KeyName("\(index)")] = try await slots.keyOrNew(named: KeyName("\(index)")).bytes }
        let copy = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/slots"))
        try await slots.changeWrappingKey()
        for (name, key) in keys { #expect(try await slots.key(named: name)?.bytes == key) }
        await slots.close()

        let reopened = try open()
        for (name, key) in keys { #expect(try await reopened.key(named: name)?.bytes == key) }
        await reopened.close()
        try copy.write(to: URL(fileURLWithPath: folder.path + "/slots"))
        #expect(throws: KeySlotError.self) { try open() }
    }

    @Test("a second opening of the same folder is refused while the first is open")
    func locked() async throws {
        let slots = try open()
        #expect { try open() } throws: { ($0 as? KeySlotError)?.code == .locked }
        await slots.close()
    }

    @Test("after closing nothing is taken any more")
    func closed() async throws {
        let slots = try open()
        await slots.close()
        await #expect { try await slots.keyOrNew(named: KeyName("late")) } throws: {
            ($0 as? KeySlotError)?.code == .closed
        }
    }

    @Test("wrapping keys sealed under an outer key open with it, and with no other and not without")
    func outerKey() async throws {
        let outer = try OuterKey(bytes: Data(repeating: 7, count: 32), in: memory)
        let slots = try open(outer: outer)
        let key = try await slots.keyOrNew(named: KeyName("session")).bytes
        try await slots.changeWrappingKey()
        await slots.close()
        #expect { try open() } throws: { ($0 as? KeySlotError)?.code == .wrappingKeyMissing }
        let other = try OuterKey(bytes: Data(repeating: 8, count: 32), in: memory)
        #expect { try open(outer: other) } throws: { ($0 as? KeySlotError)?.code == .wrappingKeyMissing }
        let reopened = try open(outer: outer)
        #expect(try await reopened.key(named: KeyName("session"))?.bytes == key)
        await reopened.close()
    }

    @Test("files that are no key slots are refused and left as they are")
    func foreignFiles() async throws {
        let slots = try open()
        await slots.close()
        let path = folder.path + "/slots"
        let foreign = Data(repeating: 65, count: 8_192)
        try foreign.write(to: URL(fileURLWithPath: path))
        #expect { try open() } throws: { ($0 as? KeySlotError)?.code == .malformed }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == foreign)
    }
}

@Suite("Key slots after a crash")
struct CrashTests {
    private let folder: TemporaryFolder
    private let memory: SecretMemory

    init() throws {
        folder = try TemporaryFolder()
        memory = try SecretMemory(capacity: 2_000)
    }

    private func engine() throws(KeySlotError) -> SlotEngine {
        try SlotEngine(folder: folder.path, memory: memory, outer: nil, slotsPerExtent: 8, now: Date())
    }

    /// A crash drops what is in memory; the files stay as they are at that moment.
    @Test("a change of the wrapping key that ends after any step goes on where it was", arguments: 0...4)
    func changeInterrupted(steps: Int) throws {
        let names = (0..<20).map { KeyName("\($0)") }
        var keys: [KeyName: [UInt8]] = [:]
        do {
            let before = try engine()
            for name in names { keys[name] = try before.stageKey(named: name).bytes }
            try before.synchronise()
            if steps > 0 { try before.beginChange(now: Date()) }
            for extent in 0..<max(0, steps - 1) { _ = try before.rewrapExtent(extent) }
        }
        let after = try engine()
        #expect(after.isChangingWrappingKey == (steps > 0))
        for name in names { #expect(try after.key(named: name)?.bytes == keys[name]) }
        for extent in 0..<3 { _ = try after.rewrapExtent(extent) }
        try after.endChange()
        #expect(!after.isChangingWrappingKey)
        for name in names { #expect(try after.key(named: name)?.bytes == keys[name]) }
    }

    @Test(
        "a slot that was torn while it was written or overwritten is cleared, and its neighbours are kept",
        arguments: [0, 1, 47, 64, 127])
    func tornSlot(kept: Int) throws {
        var neighbour: [UInt8] = []
        do {
            let before = try engine()
            neighbour = try before.stageKey(named: KeyName("neighbour")).bytes
            _ = try before.stageKey(named: KeyName("torn"))
            try before.synchronise()
        }
        // The second slot of the first extent: only its beginning reached the disk.
        let path = folder.path + "/slots"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let start = 4_096 + SlotRecord.byteCount
        bytes.replaceSubrange(
            start + kept..<start + SlotRecord.byteCount, with: Data(count: SlotRecord.byteCount - kept))
        try bytes.write(to: URL(fileURLWithPath: path))
        let after = try engine()
        #expect(after.damagedCount == (kept == 0 ? 0 : 1))
        #expect(try after.key(named: KeyName("torn")) == nil)
        #expect(try after.key(named: KeyName("neighbour"))?.bytes == neighbour)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: path))[start..<start + SlotRecord.byteCount].allSatisfy {
                $0 == 0
            })
    }

    @Test("a key whose destruction was begun is given to nobody, and can be destroyed again")
    func destructionInterrupted() throws {
        let engine = try engine()
        _ = try engine.stageKey(named: KeyName("session"))
        try engine.synchronise()
        _ = try engine.stageDestruction(of: KeyName("session"))
        #expect(try engine.key(named: KeyName("session")) == nil)
        let again = try #require(try engine.stageDestruction(of: KeyName("session")))
        try engine.synchronise()
        #expect(try engine.concludeDestructions([again]).map(\.wasHeld) == [true])
        engine.forgetMark(of: KeyName("session"))
        #expect(try engine.stageDestruction(of: KeyName("session")) == nil)
    }

    @Test("that a key was destroyed is known after a crash, until somebody has noted it", arguments: [false, true])
    func destructionRemembered(isConcluded: Bool) throws {
        let name = KeyName("session")
        do {
            let engine = try engine()
            _ = try engine.stageKey(named: name)
            try engine.synchronise()
            let gone = try engine.stageDestruction(of: name)
            try engine.synchronise()
            if isConcluded { _ = try engine.concludeDestructions([gone]) }
        }
        let after = try engine()
        #expect(after.count == 0 && after.names.isEmpty && after.marks == [name])
        #expect(try after.key(named: name) == nil)
        let seen = try after.concludeDestructions([try after.stageDestruction(of: name)])
        #expect(seen.map(\.wasHeld) == [true])
        after.forgetMark(of: name)
        _ = try after.stageKey(named: KeyName("another"))
        try after.stageClearing()
        try after.synchronise()
        let last = try engine()
        #expect(last.marks.isEmpty && last.count == 1)
    }

    @Test("a destruction of which only one half of the slot reached the disk ends, or has not begun", arguments: 0...1)
    func destructionTorn(half: Int) throws {
        let name = KeyName("session")
        let path = URL(fileURLWithPath: folder.path + "/slots")
        var before = Data()
        do {
            let engine = try engine()
            _ = try engine.stageKey(named: name)
            try engine.synchronise()
            before = try Data(contentsOf: path)
            _ = try engine.stageDestruction(of: name)
            try engine.synchronise()
        }
        var bytes = try Data(contentsOf: path)
        let start = 4_096 + half * 8 * SlotRecord.byteCount
        bytes.replaceSubrange(start..<start + SlotRecord.byteCount, with: before[start..<start + SlotRecord.byteCount])
        try bytes.write(to: path)
        let after = try engine()
        #expect(try (after.key(named: name) != nil) == (half == 0))
        let seen = try after.stageDestruction(of: name)
        try after.synchronise()
        #expect(try after.concludeDestructions([seen]).map(\.wasHeld) == [true])
    }

    @Test("slots of noted destructions are used again before the file grows")
    func marksGiveRoom() throws {
        let engine = try engine()
        for round in 0..<5 {
            let names = (0..<8).map { KeyName("\(round) \($0)") }
            for name in names { _ = try engine.stageKey(named: name) }
            try engine.synchronise()
            let gone = try names.map { try engine.stageDestruction(of: $0) }
            try engine.synchronise()
            _ = try engine.concludeDestructions(gone)
            for name in names { engine.forgetMark(of: name) }
        }
        #expect(engine.slotCount == 8)
    }
}

@Suite("Memory for keys")
struct SecretMemoryTests {
    @Test("it is locked, and in no core dump")
    func lockedAndUndumpable() throws {
        let memory = try SecretMemory(capacity: 10)
        let secret = try memory.randomSecret()
        let address = secret.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).components(separatedBy: "VmFlags:")
        // The flags of a mapping come after its first line.
        let index = try #require(
            maps.firstIndex { part in
                part.split(separator: "\n").contains { line in
                    let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
                    return ends.count == 2 && ends[0] <= address && address < ends[1]
                }
            })
        let flags = maps[index + 1].prefix { $0 != "\n" }.split(separator: " ")
        #expect(flags.contains("lo") && flags.contains("dd") && flags.contains("dc"))
        withExtendedLifetime(secret) {}
    }

    @Test("a key that nobody holds is wiped, and its place is used again")
    func wiped() throws {
        let memory = try SecretMemory(capacity: 1)
        for _ in 0..<(memory.capacity * 2) {
            _ = try memory.secret { bytes in
                #expect(bytes.allSatisfy { $0 == 0 })
                bytes.copyBytes(from: [UInt8](repeating: 0xAB, count: Secret.byteCount))
            }
        }
        #expect(memory.count == 0)
    }

    @Test("beyond its bound it says so, and what is held stays")
    func bound() throws {
        let memory = try SecretMemory(capacity: 1)
        let held = try (0..<memory.capacity).map { _ in try memory.randomSecret() }
        #expect { try memory.randomSecret() } throws: { ($0 as? KeySlotError)?.code == .memoryNotLocked }
        #expect(Set(held.map(\.bytes)).count == memory.capacity)
        #expect("\(held[0])" == "Secret(redacted)")
    }
}

@Suite("What the slots lie on")
struct MediumTests {
    private static let table = """
        22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
        30 22 0:26 / /data\\040disk rw - btrfs /dev/vdb rw,space_cache=v2
        31 22 8:1 / /journal rw,noatime - ext4 /dev/vdc rw,data=journal
        32 22 0:30 / /over rw - overlay overlay rw,lowerdir=/l,upperdir=/u
        33 22 0:31 / /net rw - nfs4 server:/x rw
        34 22 0:32 / /new rw - shinyfs /dev/vdd rw
        35 22 0:33 / /x rw - xfs /dev/vde rw,attr2
        36 35 0:34 / /x rw - tmpfs tmpfs rw
        """

    @Test(
        "a path is judged by the mount that it is on",
        arguments: [
            ("/var/lib/samtal", "ext4", []), ("/data disk/samtal", "btrfs", [.copyOnWrite]),
            ("/journal", "ext4", [.dataJournal]), ("/journals", "ext4", []), ("/over/a/b", "overlay", [.overlay]),
            ("/net/a", "nfs4", [.remote]), ("/new", "shinyfs", [.unknown]), ("/x/y", "tmpfs", []),
        ] as [(String, String, [Medium.Risk])])
    func judged(path: String, type: String, risks: [Medium.Risk]) throws {
        let medium = Medium.judge(try #require(Mount.holding(path, in: Self.table)))
        #expect(medium.fileSystem == type)
        #expect(medium.risks == Set(risks))
    }
}
