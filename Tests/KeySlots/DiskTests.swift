import Foundation
import TestProcesses
import Testing

@testable import KeySlots

@Suite("Key slots on a disk whose raw blocks are read", .serialized)
struct DiskTests {
    @Test(
        "no key lies unwrapped on the disk, and none that was destroyed can be opened",
        arguments: [DiskImage.Kind.ext4, .xfs])
    func destroyedKeysAreGone(kind: DiskImage.Kind) async throws {
        guard let disk = try DiskImage.make(kind) else { return }
        let memory = try SecretMemory(capacity: 1_000)
        let folder = disk.mountPoint + "/keys"
        let names = (0..<60).map { KeyName("session-\($0)") }
        var keys: [KeyName: [UInt8]] = [:]
        do {
            let slots = try KeySlots(folder: folder, memory: memory, slotsPerExtent: 64)
            #expect(!slots.medium.keepsOldCopies, "\(slots.medium.summary)")
            for name in names { keys[name] = try await slots.keyOrNew(named: name).withUnsafeBytes { Array($0) } }
            let seen = try await slots.destroy(Array(names[..<40]))
            for destruction in seen {
                #expect(destruction == SlotDestruction(wasHeld: true, readBack: .pastPageCache, stayedInPlace: true))
            }
            await slots.close()
        }
        let raw = try disk.rawBytes()
        for key in keys.values { #expect(raw.positions(of: key).isEmpty, "a key lies on the disk as it is") }
        // With every wrapping key that the disk still has, freed blocks included: the control finds the 20 living keys.
        let opened = Set(RawDisk(raw, memory: memory).openedKeys())
        #expect(names[40...].allSatisfy { opened.contains(keys[$0]!) })
        #expect(names[..<40].allSatisfy { !opened.contains(keys[$0]!) })
        #expect(opened.count == 20)
    }

    @Test("after a change of the wrapping key, a copy of the slots made before can't be opened with what the disk has")
    func oldCopiesDie() async throws {
        guard let disk = try DiskImage.make(.ext4) else { return }
        let memory = try SecretMemory(capacity: 1_000)
        let folder = disk.mountPoint + "/keys"
        let name = KeyName("session")
        var key: [UInt8] = []
        do {
            let slots = try KeySlots(folder: folder, memory: memory, slotsPerExtent: 64)
            key = try await slots.keyOrNew(named: name).withUnsafeBytes { Array($0) }
            // A copy that nobody knows of, as a careless backup makes one.
            try FileManager.default.copyItem(atPath: folder + "/slots", toPath: disk.mountPoint + "/copy")
            _ = try await slots.destroy([name])
            #expect(
                RawDisk(
                    try Data(contentsOf: URL(fileURLWithPath: disk.mountPoint + "/copy"))
                        + Data(contentsOf: URL(fileURLWithPath: folder + "/wrapping-keys")), memory: memory
                )
                .openedKeys().contains(key), "the control: until the change the copy can be opened")
            try await slots.changeWrappingKey()
            await slots.close()
        }
        #expect(RawDisk(try disk.rawBytes(), memory: memory).openedKeys().isEmpty)
    }

    @Test(
        "a medium that keeps old copies is told from one that does not",
        arguments: [DiskImage.Kind.btrfs, .journalling])
    func riskyMedia(kind: DiskImage.Kind) async throws {
        guard let disk = try DiskImage.make(kind) else { return }
        let slots = try KeySlots(
            folder: disk.mountPoint + "/keys", memory: SecretMemory(capacity: 10), slotsPerExtent: 64)
        #expect(slots.medium.risks == [kind == .btrfs ? .copyOnWrite : .dataJournal])
        await slots.close()
    }
}

/// Reads raw blocks as an attacker would who knows the formats: collects every wrapping key and every slot that lies
/// anywhere, and tries each with each.
struct RawDisk {
    private let bytes: Data
    private let memory: SecretMemory

    init(_ bytes: Data, memory: SecretMemory) {
        self.bytes = bytes
        self.memory = memory
    }

    func openedKeys() -> [[UInt8]] {
        let wrapping = wrappingKeys()
        var keys: [[UInt8]] = []
        for start in bytes.positions(of: "SLT1".utf8) {
            guard start + SlotRecord.byteCount <= bytes.count,
                case .used(let record) = SlotRecord.read(Array(bytes[start..<start + SlotRecord.byteCount])[...])
            else { continue }
            for key in wrapping {
                for place in 0..<64 {
                    guard let secret = try? record.unwrapped(at: place, under: key, in: memory) else { continue }
                    keys.append(secret.withUnsafeBytes { Array($0) })
                }
            }
        }
        return keys
    }

    private func wrappingKeys() -> [WrappingKey] {
        bytes.positions(of: "KEK2".utf8).compactMap { start in
            guard start + 53 <= bytes.count, bytes[start + 4] == 0 else { return nil }
            let number = UInt32(bigEndianBytes: bytes[start + 5..<start + 9])
            return try? WrappingKey(
                number: number, order: 1, createTime: .distantPast,
                secret: memory.secret { $0.copyBytes(from: bytes[start + 21..<start + 53]) })
        }
    }
}

extension Data {
    /// Where the bytes lie. An image is mostly zeros, so memchr(3) looks for the first byte that is none.
    func positions(of pattern: some Sequence<UInt8>) -> [Int] {
        let pattern = Array(pattern)
        guard let anchor = pattern.firstIndex(where: { $0 != 0 }) else { return [] }
        return withUnsafeBytes { bytes in
            var found: [Int] = []
            guard let base = bytes.baseAddress else { return found }
            var next = anchor
            while next < bytes.count, let hit = memchr(base + next, CInt(pattern[anchor]), bytes.count - next) {
                let start = UnsafeRawPointer(hit) - base - anchor
                if start + pattern.count <= bytes.count, memcmp(base + start, pattern, pattern.count) == 0 {
                    found.append(start)
                }
                next = start + anchor + 1
            }
            return found
        }
    }
}
