import Foundation
import Testing

@testable import KeySlots

@Suite("Copies of key slots")
struct CopyingTests {
    private let folder: TemporaryFolder
    private let target: TemporaryFolder
    private let memory: SecretMemory

    init() throws {
        folder = try TemporaryFolder()
        target = try TemporaryFolder()
        memory = try SecretMemory(capacity: 2_000)
    }

    private func open(_ folder: TemporaryFolder, outer: OuterKey? = nil) throws(KeySlotError) -> KeySlots {
        try KeySlots(folder: folder.path, memory: memory, outer: outer, slotsPerExtent: 8)
    }

    /// Writes a copy into the other folder.
    private func copy(_ slots: KeySlots, between: () async throws -> Void = {}) async throws {
        let copy = try await slots.beginCopy()
        var bytes = copy.slotsHead
        var extent = 0
        while let next = try await slots.extent(extent, of: copy) {
            bytes += next
            extent += 1
            try await between()
        }
        try Data(bytes).write(to: URL(fileURLWithPath: target.path + "/slots"))
        try Data(copy.wrappingKeys).write(to: URL(fileURLWithPath: target.path + "/wrapping-keys"))
    }

    @Test("opens with the same keys, without those that were destroyed, also while the wrapping key is changed")
    func opens() async throws {
        let slots = try open(folder)
        var keys: [String: [UInt8]] = [:]
        for number in 0..<30 { keys["k-\(number)"] = try await slots.keyOrNew(named: KeyName("k-\(number)")).bytes }
        _ = try await slots.destroy([KeyName("k-3"), KeyName("k-17")])
        (keys["k-3"], keys["k-17"]) = (nil, nil)
        try await copy(slots) { try await slots.changeWrappingKey() }
        let copied = try open(target)
        #expect(copied.damagedCount == 0)
        #expect(try await copied.names().count == 28)
        for (name, key) in keys { #expect(try await copied.key(named: KeyName(name))?.bytes == key) }
        // And it goes on as slots do.
        try await copied.changeWrappingKey()
        _ = try await copied.destroy([KeyName("k-1")])
        #expect(try await copied.keyOrNew(named: KeyName("new")).bytes.count == 32)
        await copied.close()
        await slots.close()
    }

    @Test("the wrapping key of the slots is not in the copy, nor does the copy's open the slots")
    func wrappingKeys() async throws {
        let slots = try open(folder)
        _ = try await slots.keyOrNew(named: KeyName("k"))
        try await copy(slots)
        let own = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/wrapping-keys"))[21..<53]
        for name in ["slots", "wrapping-keys"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: target.path + "/" + name))
            #expect(bytes.range(of: own) == nil)
        }
        await slots.close()
        try FileManager.default.removeItem(atPath: target.path + "/slots")
        try FileManager.default.copyItem(atPath: folder.path + "/slots", toPath: target.path + "/slots")
        #expect { try open(target) } throws: { ($0 as? KeySlotError)?.code == .wrappingKeyMissing }
    }

    @Test("a copy of slots whose wrapping keys are sealed opens with the same credential alone")
    func sealed() async throws {
        let outer = try OuterKey(bytes: [UInt8](repeating: 7, count: 32), in: memory)
        let slots = try open(folder, outer: outer)
        let key = try await slots.keyOrNew(named: KeyName("k")).bytes
        try await copy(slots)
        await slots.close()
        #expect(throws: KeySlotError.self) { try open(target) }
        let copied = try open(target, outer: outer)
        #expect(try await copied.key(named: KeyName("k"))?.bytes == key)
        await copied.close()
    }
}
