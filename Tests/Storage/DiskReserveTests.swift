import Foundation
import GRDB
import Logging
import Storage
import TestProcesses
import Testing

@Suite("Room that is kept for erasing", .enabled(if: SmallDisk.isAllowed, Comment(rawValue: SmallDisk.skipped)))
struct DiskReserveTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// What others keep on the disk.
    private func ballast(on disk: SmallDisk) -> String { "\(disk.path)/ballast" }

    /// A store with a reserve, on a disk of its own of which not much is left.
    private func onDisk(
        kilobytes: Int, reserve: Int64, _ body: (SmallDisk, SQLiteStore, DiskReserve) async throws -> Void
    ) async throws {
        let disk = try SmallDisk(on: "/tmp/samtal-reserve-\(UUID().uuidString)", kilobytes: kilobytes)
        defer { disk.unmount() }
        try Data(count: kilobytes / 8 * 5 << 10).write(to: URL(fileURLWithPath: ballast(on: disk)))
        let reserve = try DiskReserve(in: disk.path, bytes: reserve, logger: Self.logger)
        var configuration = SQLiteStore.Configuration()
        configuration.reserve = reserve
        let store = try SQLiteStore(
            path: "\(disk.path)/store.sqlite", migrator: notesMigrator(), configuration: configuration)
        do {
            try await body(disk, store, reserve)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    private func write(_ store: SQLiteStore, for purpose: SQLiteStore.Purpose) async throws {
        try await store.write(for: purpose) { transaction in
            try transaction.db.execute(
                sql: "INSERT INTO note (text) VALUES (?)",
                arguments: [UUID().uuidString + String(repeating: "n", count: 3000)])
        }
    }

    private func code(_ call: () async throws -> Void) async -> StorageError.Code? {
        do {
            try await call()
            return nil
        } catch {
            return (error as? StorageError)?.code
        }
    }

    @Test("what keeps more is refused before the disk is full, and what erases is stored when it is")
    func full() async throws {
        try await onDisk(kilobytes: 4096, reserve: 256 << 10) { disk, store, reserve in
            #expect(reserve.bytes == 256 << 10 && reserve.held == reserve.bytes)
            var stored = 0
            while await code({ try await write(store, for: .keeping) }) == nil { stored += 1 }
            #expect(stored > 10)
            #expect(disk.free >= 100 << 10, "\(stored) were stored")
            // Others use the disk too, and to the last block.
            try disk.fill()
            #expect(disk.free == 0)
            var filled = 0
            while await code({ try await write(store, for: .upkeep) }) == nil { filled += 1 }
            #expect(filled < 100 && reserve.held == reserve.bytes)
            for _ in 0..<5 { try await write(store, for: .erasing) }
            #expect(reserve.held == 0 && disk.free > 0)
            // What was given up is for nobody else.
            #expect(await code { try await write(store, for: .keeping) } == .full)
            // When nothing is left of it either, it is full for all.
            try disk.fill()
            while await code({ try await write(store, for: .erasing) }) == nil {}
            #expect(await code { try await write(store, for: .erasing) } == .full)

            disk.makeRoom()
            try FileManager.default.removeItem(atPath: ballast(on: disk))
            try await write(store, for: .erasing)
            #expect(reserve.held == reserve.bytes)
            try await write(store, for: .keeping)
        }
    }

    @Test("an eighth of a small disk is kept, one that is there is kept on, and none if none is wanted")
    func sizes() async throws {
        let disk = try SmallDisk(on: "/tmp/samtal-reserve-\(UUID().uuidString)", kilobytes: 1024)
        defer { disk.unmount() }
        let first = try DiskReserve(in: disk.path, bytes: 8 << 20, logger: Self.logger)
        #expect(first.bytes == 128 << 10 && first.held == first.bytes)
        #expect(disk.free <= (1024 - 128) << 10)
        try disk.fill()
        // A start on a full disk finds it.
        let second = try DiskReserve(in: disk.path, bytes: 8 << 20, logger: Self.logger)
        #expect(second.held == second.bytes && disk.free == 0)
        #expect(throws: StorageError.self) { try second.admit() }
        let none = try DiskReserve(in: disk.path, bytes: 0, logger: Self.logger)
        #expect(none.bytes == 0 && !disk.files.contains(DiskReserve.name) && disk.free == 128 << 10)
        try none.admit()
        // And one that finds no room for it keeps nothing more.
        try disk.fill()
        let third = try DiskReserve(in: disk.path, bytes: 8 << 20, logger: Self.logger)
        #expect(third.held == 0)
        #expect(throws: StorageError.self) { try third.admit() }
    }
}
