import Contracts
import Foundation
import RPC
import RetentionCore
import RetentionServer
import ServiceKit
import TestProcesses
import Testing

@Suite("A ledger without its anchor")
struct LostAnchorTests {
    /// Two sessions erased, a third that has ended, and nobody running.
    private func prepare(_ folder: TestFolder, _ chat: ChatPeer) async throws {
        try await withRetention(in: folder) { retention in
            try await retention.record()
            for number in 1...4 { try await retention.addEnded("s-\(number)", in: chat) }
            try await retention.erase("s-1")
            try await retention.erase("s-2")
        }
    }

    /// What holds while the anchor is not usable: keys and content go, no certificate is signed.
    private func expectUnsigned(
        _ retention: RunningRetention, _ folder: TestFolder, _ condition: RetentionV1.LedgerAnchorState,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(try await retention.ledger().anchor == condition, sourceLocation: sourceLocation)
        try await expectRefusal(.failedPrecondition, reason: "LEDGER_ANCHOR", sourceLocation: sourceLocation) {
            try await retention.erase("s-3")
        }
        #expect(try folder.usedSlots().count == 2, sourceLocation: sourceLocation)
        #expect(try await retention.chain().count == 2, sourceLocation: sourceLocation)
        #expect(retention.metrics.text().contains("ledger_anchor_usable 0"), sourceLocation: sourceLocation)
        #expect(retention.log.text.contains("no certificate is signed"), sourceLocation: sourceLocation)
    }

    @Test(
        "it is an alarm; after the operator has accepted it, numbers go on above what was given out, and the gap is said"
    )
    func missing() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await prepare(folder, chat)
                try FileManager.default.removeItem(atPath: folder.path + "/ledger-anchor")
                try await withRetention(in: folder) { retention in
                    try await expectUnsigned(retention, folder, .missing)
                    #expect(!FileManager.default.fileExists(atPath: folder.anchor))
                    try await expectRefusal(.failedPrecondition, reason: "LEDGER_NUMBER_TAKEN") {
                        try await retention.acceptAnchor(after: 1)
                    }
                    for number in [UInt64(1) << 53, .max] {
                        try await expectRefusal(.invalidArgument) { try await retention.acceptAnchor(after: number) }
                    }
                    let accepted = try await retention.acceptAnchor(after: 7)
                    #expect(accepted.anchor == .usable && accepted.anchorSequence == 7)
                    #expect(retention.metrics.text().contains("ledger_anchor_usable 1"))
                    try await eventually("what waited is certified") { try await retention.isCertified("s-3") }
                    let third = try await retention.certificate(of: "s-3").read
                    #expect(third.sequence == 8 && third.gapAfter == 2)
                    try await expectRefusal(.failedPrecondition, reason: "LEDGER_ANCHOR_USABLE") {
                        try await retention.acceptAnchor(after: 20)
                    }
                    try await retention.expectSound()
                }
                try await withRetention(in: folder) { retention in
                    let fourth = try await retention.erase("s-4").read
                    #expect(fourth.sequence == 9 && fourth.gapAfter == nil)
                    try await retention.expectSound()
                }
                // The new anchor serves as the old one did.
                try FileManager.default.removeItem(atPath: folder.path + "/retention/retention.sqlite")
                try await withRetention(in: folder, schedules: false) { retention in
                    try await retention.expectSound(4)
                }
            }
        }
    }

    @Test("the number that was accepted holds after a restart, with no certificate in between")
    func acceptedThenRestarted() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await prepare(folder, chat)
                try FileManager.default.removeItem(atPath: folder.anchor)
                _ = try await withRetention(in: folder) { try await $0.acceptAnchor(after: 7) }
                try await withRetention(in: folder) { retention in
                    #expect(try await retention.erase("s-3").sequence == 8)
                    try await retention.expectSound()
                }
            }
        }
    }

    @Test("one that is damaged before its end is an alarm, wherever the damage is; a torn last line is not")
    func damaged() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await prepare(folder, chat)
                let whole = try Data(contentsOf: URL(fileURLWithPath: folder.anchor))
                try folder.keepCopy()
                for place in [0, 20, whole.count / 2] {
                    try folder.putBack()
                    var bytes = whole
                    bytes[place] ^= 1
                    try bytes.write(to: URL(fileURLWithPath: folder.anchor))
                    try await withRetention(in: folder) { try await expectUnsigned($0, folder, .damaged) }
                }
                for garbage in [
                    Data(), Data("nonsense".utf8), Data(repeating: 10, count: 5), Data(repeating: 120, count: 40_000),
                ] {
                    try folder.putBack()
                    try garbage.write(to: URL(fileURLWithPath: folder.anchor))
                    try await withRetention(in: folder) { try await expectUnsigned($0, folder, .damaged) }
                }
                for torn in [whole + Data("0123456789abcdef certif".utf8), whole.dropLast(1), whole.dropLast(700)] {
                    try folder.putBack()
                    try torn.write(to: URL(fileURLWithPath: folder.anchor))
                    try await withRetention(in: folder) { retention in
                        #expect(try await retention.ledger().anchor == .usable)
                        #expect(try await retention.erase("s-3").sequence == 3)
                        try await retention.expectSound()
                    }
                }
                // What is set aside is kept.
                try folder.putBack()
                try Data("nonsense\n\n".utf8).write(to: URL(fileURLWithPath: folder.anchor))
                _ = try await withRetention(in: folder) { try await $0.acceptAnchor(after: 2) }
                let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/ledger-anchor")
                #expect(names.count == 2 && names.contains { $0.hasPrefix("anchor.set-aside-") })
            }
        }
    }

    @Test("two histories are found out, and neither signs a number of the other's")
    func forked() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await prepare(folder, chat)
                try folder.keepCopy()
                let anchor = try Data(contentsOf: URL(fileURLWithPath: folder.anchor))
                _ = try await withRetention(in: folder) { try await $0.erase("s-3") }
                // The same folder goes on elsewhere, and its certificate 3 is of another session.
                try folder.putBack()
                let other = try Data(contentsOf: URL(fileURLWithPath: folder.anchor))
                try anchor.write(to: URL(fileURLWithPath: folder.anchor))
                _ = try await withRetention(in: folder) { try await $0.erase("s-4") }
                try other.write(to: URL(fileURLWithPath: folder.anchor))
                try await withRetention(in: folder) { retention in
                    #expect(try await retention.ledger().anchor == .forked)
                    try await expectRefusal(.failedPrecondition, reason: "LEDGER_ANCHOR") {
                        try await retention.erase("s-3")
                    }
                    try await expectRefusal(.failedPrecondition, reason: "LEDGER_NUMBER_TAKEN") {
                        try await retention.acceptAnchor(after: 2)
                    }
                    try await retention.acceptAnchor(after: 3)
                    try await eventually("it is certified") { try await retention.isCertified("s-3") }
                    #expect(try await retention.certificate(of: "s-3").sequence == 4)
                }
            }
        }
    }

    @Test("a certificate that was changed in the anchor is not put back")
    func forged() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.addEnded("s-1", in: chat)
                }
                try folder.keepCopy()
                _ = try await withRetention(in: folder) { try await $0.erase("s-1") }
                try folder.putBack()
                let lines = try String(contentsOfFile: folder.anchor, encoding: .utf8).split(separator: "\n")
                var forged: [UInt8] = []
                for line in lines {
                    guard case .certificate(_, let anchored)? = AnchorRecord(line: Array(line.utf8)[...]),
                        var certificate = anchored.certificate
                    else {
                        forged += Array(line.utf8) + [10]
                        continue
                    }
                    certificate.statement = certificate.statement.replacingOccurrences(of: "s-1", with: "s-2")
                    forged +=
                        AnchorRecord.certificate(
                            LedgerHead(sequence: 1, hash: certificate.hash), AnchoredCertificate(certificate)
                        ).line
                }
                try Data(forged).write(to: URL(fileURLWithPath: folder.anchor))
                try await withRetention(in: folder) { retention in
                    let state = try await retention.ledger()
                    #expect(state.anchor == .damaged && state.sequence == 0)
                }
            }
        }
    }

    @Test("another ledger's anchor keeps the service from starting, and so does one that another process has open")
    func others() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await prepare(folder, chat)
                try await withFolder { other in
                    try await withRetention(in: other) { _ in }
                    try FileManager.default.removeItem(atPath: other.anchor)
                    try FileManager.default.copyItem(atPath: folder.anchor, toPath: other.anchor)
                    await #expect(throws: StartUpError.self) { try await withRetention(in: other) { _ in } }
                }
                try await withRetention(in: folder) { _ in
                    try await withFolder { other in
                        try FileManager.default.createSymbolicLink(
                            atPath: other.path + "/ledger-anchor", withDestinationPath: folder.path + "/ledger-anchor")
                        await #expect(throws: StartUpError.self) { try await withRetention(in: other) { _ in } }
                    }
                }
            }
        }
    }

    @Test(
        "while the anchor's disk is full the certificate waits; everything else of the erasure is done",
        .enabled(if: SmallDisk.isAllowed, Comment(rawValue: SmallDisk.skipped)))
    func fullDisk() async throws {
        try await withFolder { folder in
            let disk = try SmallDisk(on: folder.path + "/ledger-anchor", kilobytes: 64)
            defer { disk.unmount() }
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await prepare(folder, chat)
                try await withRetention(in: folder) { retention in
                    try disk.fill()
                    var refused: RPCError?
                    // What is left of the last block takes a certificate or two.
                    for number in 3...4 where refused == nil {
                        refused = try await status { try await retention.erase("s-\(number)") }
                    }
                    for number in 5...9 where refused == nil {
                        try await retention.addEnded("s-\(number)", in: chat)
                        refused = try await status { try await retention.erase("s-\(number)") }
                    }
                    #expect(refused?.reason == "STORE_FULL")
                    let count = try await retention.chain().count
                    disk.makeRoom()
                    try await eventually("what waited is certified") { try await retention.chain().count == count + 1 }
                    try await retention.expectSound()
                }
            }
        }
    }
}
