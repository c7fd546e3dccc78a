import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import Testing

@Suite("A copy of the session keys")
struct KeyCopyTests {
    private static var asBackup: CallOptions {
        CallOptions(metadata: ["samtal-role": "backup"], timeout: RunningRetention.patience)
    }

    private func backups(_ retention: RunningRetention) -> BackupV1.BackupServiceClient {
        BackupV1.BackupServiceClient(channel: retention.channel)
    }

    @Test("is on record before a key leaves: every certificate until then names the latest date, and none after it")
    func onRecord() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    for number in 1...4 { try await retention.addEnded("s-\(number)", in: chat) }
                    let first = try await retention.erase("s-1").read
                    #expect(first.keyCopiesUntil == nil)
                    for days: UInt32 in [9, 7] {
                        let copy = try await backups(retention).recordKeyCopy(
                            .init(keysDays: days), options: Self.asBackup)
                        #expect(copy.expireTime?.date == RunningRetention.start + Double(days) * 86_400)
                    }
                    let second = try await retention.erase("s-2").read
                    #expect(second.keyCopiesUntil == RunningRetention.start + 9 * 86_400)
                }
                // Also where the folder is one from before the copy: the anchor knows of it.
                try FileManager.default.removeItem(atPath: folder.path + "/retention/retention.sqlite")
                try await withRetention(in: folder, schedules: false) { retention in
                    try await retention.record()
                    try await retention.open("fresh")
                    let fresh = try await retention.erase("fresh").read
                    #expect(fresh.keyCopiesUntil == RunningRetention.start + 9 * 86_400)
                }
            }
        }
    }

    @Test("no certificate names a copy whose time is over")
    func over() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.addEnded("s-1", in: chat)
                    _ = try await backups(retention).recordKeyCopy(.init(keysDays: 1), options: Self.asBackup)
                    retention.clock.advance(by: 86_401)
                    let certificate = try await retention.erase("s-1").read
                    #expect(certificate.keyCopiesUntil == nil)
                }
            }
        }
    }

    @Test("while it is taken no session changes its content key, and erasing destroys keys all the same")
    func pause() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    for id in ["begun", "other", "erased"] { try await retention.addEnded(id, in: chat) }
                    _ = try await retention.beginKeyChange(of: "begun", from: 1)
                    _ = try await backups(retention).recordKeyCopy(.init(keysDays: 1), options: Self.asBackup)
                    try await expectRefusal(.unavailable, reason: "BACKUP_UNDER_WAY") {
                        try await retention.beginKeyChange(of: "other", from: 1)
                    }
                    try await expectRefusal(.unavailable, reason: "BACKUP_UNDER_WAY") {
                        try await retention.finishKeyChange(of: "begun", to: 2)
                    }
                    let slots = try folder.usedSlots().count
                    try await retention.erase("erased")
                    #expect(try folder.usedSlots().count == slots - 2)
                    _ = try await backups(retention).finishKeyCopy(.init(), options: Self.asBackup)
                    #expect(try await retention.finishKeyChange(of: "begun", to: 2).keyVersion == 2)
                    #expect(try await retention.beginKeyChange(of: "other", from: 1).nextKey.count == 32)
                }
            }
        }
    }

    @Test("is not taken while the ledger has no anchor to put it on record")
    func withoutAnchor() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.addEnded("s-1", in: chat)
                    try await retention.erase("s-1")
                }
                try FileManager.default.removeItem(atPath: folder.anchor)
                try await withRetention(in: folder) { retention in
                    try await expectRefusal(.failedPrecondition, reason: "LEDGER_ANCHOR") {
                        try await backups(retention).recordKeyCopy(.init(keysDays: 1), options: Self.asBackup)
                    }
                }
            }
        }
    }
}
