import Contracts
import Foundation
import RPC
import RetentionCore
import RetentionServer
import ServiceKit
import Synchronization
import Testing

@Suite("A retention folder that is older than the ledger's anchor")
struct OlderLedgerTests {
    @Test(
        "what was erased is erased again before anybody is served, no number is signed twice, and the next certificate says so"
    )
    func olderFolder() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            var given: [String: RetentionV1.Certificate] = [:]
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    for id in ["first", "second", "third", "kept"] { try await retention.addEnded(id, in: chat) }
                    given["first"] = try await retention.erase("first")
                }
                try folder.keepCopy()
                try await withRetention(in: folder) { retention in
                    given["second"] = try await retention.erase("second")
                    // Not in the copy at all.
                    try await retention.addEnded("later", in: chat)
                    given["later"] = try await retention.erase("later")
                    // Its keys are destroyed, and chat does not answer.
                    chat.state.withLock { _ = $0.failing.insert("third") }
                    try await expectRefusal { try await retention.erase("third") }
                }
                try folder.putBack()
                #expect(try folder.usedSlots().count == 6)

                let log = CapturedLog()
                try await withRetention(in: folder, log: log, schedules: false) { retention in
                    // The keys of "second" went before this; "third" is about to be erased, and nobody is given its key.
                    #expect(try folder.usedSlots().count == 4)
                    try await expectRefusal(.notFound) { try await retention.key(of: "second") }
                    try await expectRefusal(.notFound) { try await retention.key(of: "third") }
                    #expect(try await retention.key(of: "kept").key.count == 32)
                    for (id, certificate) in given {
                        let again = try await retention.certificate(of: id)
                        #expect(again == certificate)
                    }
                    let state = try await retention.ledger()
                    #expect(state.sequence == 3 && state.anchor == .usable && state.restoreTime != nil)
                    #expect(
                        state.restoredCertificates == 2 && state.restoredErasures == 1 && state.restoredKeys == 2)
                    #expect(log.text.contains("the ledger was older than its anchor"))
                    let asked = try await retention.client.getSessionDeadlines(
                        .init(sessionIDs: ["first", "second", "third", "kept", "nobody"]),
                        options: RunningRetention.asChat)
                    #expect(asked.erasedSessionIDs == ["first", "second"])
                    #expect(asked.deadlines.map(\.sessionID) == ["kept"])
                }
                chat.state.withLock { $0.failing = [] }
                try await withRetention(in: folder) { retention in
                    try await eventually("the third is erased") { try await retention.isCertified("third") }
                    #expect(try folder.usedSlots().count == 2)
                    let third = try await retention.certificate(of: "third").read
                    #expect(third.sequence == 4 && third.gapAfter == nil && third.requester == .administrator)
                    #expect(
                        third.restored.map { [$0.certificates, $0.erasures, $0.keys] } == [2, 1, 2])
                    let kept = try await retention.erase("kept").read
                    #expect(kept.sequence == 5 && kept.restored == nil)
                    try await retention.expectSound()
                }
                // A second time, from the same old copy.
                try folder.putBack()
                try await withRetention(in: folder, schedules: false) { retention in
                    try await retention.expectSound(5)
                    #expect(try folder.usedSlots().isEmpty)
                }
            }
        }
    }

    @Test("a certificate that the anchor has and the ledger could not store is the next one, byte for byte")
    func crashBetween() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            struct Crash: Error {}
            let failures = Mutex(2)
            let hooks = ErasureHooks(beforeStoring: { step, _ in
                guard step == .certify else { return }
                try failures.withLock { left in
                    left -= 1
                    if left >= 0 { throw Crash() }
                }
            })
            try await withChat(chat, in: folder) {
                var anchored = Data()
                try await withRetention(in: folder, schedules: false, hooks: hooks) { retention in
                    try await retention.record()
                    for id in ["one", "two", "three"] { try await retention.addEnded(id, in: chat) }
                    try await expectRefusal { try await retention.erase("one") }
                    anchored = try Data(contentsOf: URL(fileURLWithPath: folder.anchor))
                    #expect(try await retention.chain().isEmpty)
                    // Within the process: the same certificate, from any caller.
                    try await expectRefusal { try await retention.erase("two") }
                    #expect(try await retention.chain().isEmpty)
                }
                try await withRetention(in: folder, schedules: false) { retention in
                    // After a crash, too; and that is no older folder.
                    let chain = try await retention.chain()
                    #expect(chain.count == 2)
                    #expect(try await retention.ledger().restoreTime == nil)
                    let line = try #require(String(data: anchored, encoding: .utf8)).split(separator: "\n").last
                    #expect(line?.contains(" certificate 1 \(chain[0].hash) ") == true)
                    #expect(try await retention.erase("three").sequence == 3)
                    try await retention.expectSound()
                }
            }
        }
    }

    @Test("within the process, a certificate that could not be stored is given once it can")
    func storedLater() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            struct Crash: Error {}
            let hasFailed = Mutex(false)
            let hooks = ErasureHooks(beforeStoring: { step, _ in
                if step == .certify,
                    hasFailed.withLock({ failed in
                        defer { failed = true }; return !failed
                    })
                {
                    throw Crash()
                }
            })
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, schedules: false, hooks: hooks) { retention in
                    try await retention.record()
                    for id in ["one", "two"] { try await retention.addEnded(id, in: chat) }
                    try await expectRefusal { try await retention.erase("one") }
                    #expect(try await retention.erase("two").sequence == 2)
                    let first = try await retention.erase("one")
                    #expect(first.sequence == 1)
                    let lines = try String(contentsOfFile: folder.anchor, encoding: .utf8).split(separator: "\n")
                    #expect(lines.count { $0.contains(" certificate ") } == 2)
                    try await retention.expectSound()
                }
            }
        }
    }

    @Test("an anchor that is behind is completed from the ledger")
    func anchorBehind() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                var older = Data()
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    for number in 1...3 { try await retention.addEnded("s-\(number)", in: chat) }
                    try await retention.erase("s-1")
                    older = try Data(contentsOf: URL(fileURLWithPath: folder.anchor))
                    try await retention.erase("s-2")
                    try await retention.erase("s-3")
                }
                try older.write(to: URL(fileURLWithPath: folder.anchor))
                let log = CapturedLog()
                try await withRetention(in: folder, log: log) { retention in
                    #expect(log.text.contains("the ledger's anchor lacked certificates"))
                    let state = try await retention.ledger()
                    #expect(state.anchor == .usable && state.anchorSequence == 3)
                }
                let lines = try String(contentsOfFile: folder.anchor, encoding: .utf8).split(separator: "\n")
                #expect(lines.count { $0.contains(" certificate ") } == 3)
            }
        }
    }
}
