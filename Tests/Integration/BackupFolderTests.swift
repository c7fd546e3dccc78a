import Backup
import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("The folder of a backup")
struct BackupFolderTests {
    /// A backup of one session, with the services stopped.
    private func withBackup(
        retentionOptions: [String] = [], _ body: (RunningSamtal, _ backup: String) async throws -> Void
    ) async throws {
        let options = ["--allow-unsafe-key-medium"] + retentionOptions
        try await RunningSamtal.with(BackupTests.services, retentionOptions: options) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            _ = try await organisation.openSession(in: samtal)
            let backup = samtal.folder + "/backup"
            let ran = try await BackupTests.run(samtal, ["backup", backup])
            #expect(ran.status == 0, "\(ran.printed)")
            try await BackupTests.stop(samtal)
            try await body(samtal, backup)
        }
    }

    /// What is in the data folder, apart from what a start writes.
    private func bytes(_ samtal: RunningSamtal) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for file in try ByteSearch.files(under: samtal.data) where !file.contains("/run/") {
            found[file] = try Data(contentsOf: URL(fileURLWithPath: file))
        }
        return found
    }

    @Test("one that is cut short, changed, or has a file too few or too many is refused, and nothing is touched")
    func damaged() async throws {
        try await withBackup { samtal, backup in
            let before = try bytes(samtal)
            let files = try ByteSearch.files(under: backup).filter { !$0.hasSuffix("README") }
            #expect(files.count >= 8)
            for file in files {
                let whole = try Data(contentsOf: URL(fileURLWithPath: file))
                var flipped = whole
                flipped[whole.count / 2] ^= 1
                for bytes in [flipped, Data(whole.dropLast()), whole + Data([0]), nil] {
                    try FileManager.default.removeItem(atPath: file)
                    try bytes?.write(to: URL(fileURLWithPath: file))
                    let ran = try await BackupTests.run(samtal, ["restore", backup, "--replace"])
                    #expect(ran.status == 1, "\(file): \(ran.printed)")
                    if bytes == nil { try Data().write(to: URL(fileURLWithPath: file)) }
                }
                try whole.write(to: URL(fileURLWithPath: file))
            }
            let more = backup + "/content/chat/sessions/more.sqlite"
            try Data([1]).write(to: URL(fileURLWithPath: more))
            #expect(try await BackupTests.run(samtal, ["restore", backup, "--replace"]).status == 1)
            try FileManager.default.removeItem(atPath: more)
            let after = try bytes(samtal)
            #expect(after == before)
            let ran = try await BackupTests.run(samtal, ["restore", backup, "--replace"])
            #expect(ran.status == 0, "\(ran.printed)")
        }
    }

    @Test("a manifest that names a file outside its folder is refused")
    func outside() throws {
        for path in [
            "../secret", "/etc/passwd", "a/../b", "a//b", "", ".", "chat/./x", "a\\b", "a\nb",
            String(repeating: "a/", count: 9) + "a",
        ] {
            let manifest = BackupManifest(
                half: .content, backup: "b", createTime: Date(), files: [.init(path: path, bytes: 0, sha256: "")])
            #expect(throws: BackupManifest.Problem.self) { try BackupManifest(decoding: try manifest.encoded()) }
        }
        let twice = BackupManifest(
            half: .content, backup: "b", createTime: Date(),
            files: [.init(path: "a", bytes: 0, sha256: ""), .init(path: "a", bytes: 1, sha256: "")])
        #expect(throws: BackupManifest.Problem.self) { try BackupManifest(decoding: try twice.encoded()) }
    }

    @Test("keys whose time is over are not restored, and are overwritten and removed; others stay")
    func expired() async throws {
        try await withBackup(retentionOptions: ["--allow-missing-keys"]) { samtal, backup in
            let keys = backup + "/keys"
            let pruned = try await ChildProcess.run("samtal", ["backup", "prune", samtal.folder])
            #expect(pruned.status == 0 && pruned.printed.contains("kept     \(keys)"), "\(pruned.printed)")
            var manifest = try BackupManifest(
                decoding: Array(try Data(contentsOf: URL(fileURLWithPath: keys + "/MANIFEST"))))
            manifest.expireTime = Date() - 1
            try Data(try manifest.encoded()).write(to: URL(fileURLWithPath: keys + "/MANIFEST"))
            let refused = try await BackupTests.run(samtal, ["restore", backup, "--replace"])
            #expect(refused.status == 1 && refused.printed.contains("were to be gone by"), "\(refused.printed)")

            // A second name of the file shows what is in its blocks after it is unlinked.
            let slots = samtal.folder + "/slots-that-were"
            try FileManager.default.linkItem(atPath: keys + "/retention/keys/slots", toPath: slots)
            let removed = try await ChildProcess.run("samtal", ["backup", "prune", samtal.folder])
            #expect(removed.status == 0 && removed.printed.contains("removed  \(keys)"), "\(removed.printed)")
            #expect(!FileManager.default.fileExists(atPath: keys))
            #expect(try Data(contentsOf: URL(fileURLWithPath: slots)).allSatisfy { $0 == 0 })

            let none = try await BackupTests.run(samtal, ["restore", backup, "--replace"])
            #expect(none.status == 1 && none.printed.contains("--without-keys"), "\(none.printed)")
            let without = try await BackupTests.run(samtal, ["restore", backup, "--replace", "--without-keys"])
            #expect(without.status == 0 && without.printed.contains("--allow-missing-keys"), "\(without.printed)")
            try await BackupTests.start(samtal)
        }
    }

    @Test("another backup's keys are refused, and a folder that is not empty is not written into")
    func others() async throws {
        try await RunningSamtal.with(BackupTests.services) { samtal in
            let (one, other) = (samtal.folder + "/one", samtal.folder + "/other")
            try FileManager.default.createDirectory(atPath: one, withIntermediateDirectories: true)
            #expect(try await BackupTests.run(samtal, ["backup", one]).status == 0)
            let again = try await BackupTests.run(samtal, ["backup", one])
            #expect(again.status == 1 && again.printed.contains("no empty folder"), "\(again.printed)")
            #expect(try await BackupTests.run(samtal, ["backup", other, "--content-only"]).status == 0)
            #expect(!FileManager.default.fileExists(atPath: other + "/keys"))
            for days in ["0", "32", "-1", "x"] {
                #expect(try await BackupTests.run(samtal, ["backup", other + "2", "--keys-days", days]).status != 0)
            }
            try await BackupTests.stop(samtal)
            let mixed = try await BackupTests.run(samtal, ["restore", other, "--keys", one + "/keys", "--replace"])
            #expect(mixed.status == 1 && mixed.printed.contains("another backup"), "\(mixed.printed)")
        }
    }

    @Test("the roles that are no backup's are given no copy; identity and chat have no keys to give")
    func roles() async throws {
        try await RunningSamtal.with(BackupTests.services) { samtal in
            for role in ["gateway", "service", "operator", "backend"] {
                let options = CallOptions(metadata: ["samtal-role": role], timeout: .seconds(20))
                for service in BackupTests.services {
                    let client = BackupV1.BackupServiceClient(channel: samtal.channel(service))
                    await expectStatus(.permissionDenied) {
                        try await client.recordKeyCopy(.init(keysDays: 7), options: options)
                    }
                    await expectStatus(.permissionDenied) {
                        for try await _ in client.copyKeys(.init(), options: options) {}
                    }
                    await expectStatus(.permissionDenied) {
                        for try await _ in client.copyContent(.init(), options: options) {}
                    }
                }
            }
            let options = CallOptions(metadata: ["samtal-role": "backup"], timeout: .seconds(20))
            for service in [RunningSamtal.Service.identity, .chat] {
                let client = BackupV1.BackupServiceClient(channel: samtal.channel(service))
                await expectStatus(.unimplemented) { for try await _ in client.copyKeys(.init(), options: options) {} }
            }
            let retention = BackupV1.BackupServiceClient(channel: samtal.channel(.retention))
            // Unless that it is to exist is on record.
            await expectStatus(.failedPrecondition) {
                for try await _ in retention.copyKeys(.init(), options: options) {}
            }
            for days: UInt32 in [0, 32, .max] {
                await expectStatus(.invalidArgument) {
                    try await retention.recordKeyCopy(.init(keysDays: days), options: options)
                }
            }
        }
    }

    @Test(
        "a disk that is full leaves no half of a backup",
        .enabled(if: SmallDisk.isAllowed, Comment(rawValue: SmallDisk.skipped)))
    func fullDisk() async throws {
        try await RunningSamtal.with(BackupTests.services) { samtal in
            let disk = try SmallDisk(on: samtal.folder + "/disk", kilobytes: 600)
            defer { disk.unmount() }
            let ran = try await BackupTests.run(samtal, ["backup", disk.path + "/backup"])
            #expect(ran.status == 1 && ran.printed.contains("Make room"), "\(ran.printed)")
            #expect(ran.printed.contains("No backup was left. It stays on record"), "\(ran.printed)")
            #expect(disk.files.isEmpty)
            // Nor is anything left in the services' own folders.
            #expect(try ByteSearch.files(under: samtal.data).allSatisfy { !$0.contains("/copying/") })
        }
    }
}
