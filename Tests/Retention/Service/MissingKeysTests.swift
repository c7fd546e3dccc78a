import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import ServiceKit
import Testing

@Suite("Keys that are not where they should be, over the socket")
struct MissingKeysTests {
    private func keys(in folder: TestFolder) -> URL { URL(fileURLWithPath: folder.path + "/retention/keys") }

    private func move(_ from: URL, to target: URL) throws {
        try? FileManager.default.removeItem(at: target)
        try FileManager.default.moveItem(at: from, to: target)
    }

    @Test("a folder of keys that is not the sessions' own is no start, and their erasure is certified once it is back")
    func foreignFolder() async throws {
        try await withFolder { folder in
            let aside = URL(fileURLWithPath: folder.path + "/aside")
            let chat = ChatPeer()
            let clock = ManualWallClock(RunningRetention.start)
            try await withRetention(in: folder, clock: clock) { retention in
                try await retention.record()
                for session in ["session-1", "session-2"] {
                    try await retention.open(session)
                    chat.add(session, state: .draft)
                }
            }
            try move(keys(in: folder), to: aside)
            let refusal = await #expect(throws: StartUpError.self) { try await withRetention(in: folder) { _ in } }
            #expect(refusal.map { "\($0)".contains("2 sessions") } == true)

            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, clock: clock, keys: KeySettings(allowsMissingKeys: true)) {
                    retention in
                    try await expectRefusal(.dataLoss, reason: "KEYS_MISSING") {
                        try await retention.erase("session-1")
                    }
                    // What chat had is gone all the same; and it is not certified however often it is tried.
                    #expect(chat.erasures(of: "session-1") > 0)
                    try await eventually("the reason is in the log") { retention.log.text.contains("KEYS_MISSING") }
                    #expect(try await !retention.isCertified("session-1"))
                }
                try move(aside, to: keys(in: folder))
                #expect(try folder.usedSlots().count == 4)
                clock.advance(by: 7_200)
                let later = RunningRetention.start + 7_200
                try await withRetention(in: folder, clock: clock) { retention in
                    try await eventually("it is certified") { try await retention.isCertified("session-1") }
                    #expect(try folder.usedSlots().count == 2)
                    let certificate = try await retention.certificate(of: "session-1")
                    let statement = try ErasureStatement(reading: certificate.statement)
                    #expect(statement.evidence.keys.slots == 2 && statement.evidence.keys.readBack != nil)
                    // The time at which they were overwritten, not the one at which none was found.
                    #expect(statement.keyDestroyedTime == later && statement.erasedTime == later)
                    #expect(try await retention.key(of: "session-2").key.count == 32)
                }
            }
        }
    }

    @Test("a restored folder of keys brings back no version of any key that was replaced or destroyed since")
    func restoredVersions() async throws {
        try await withFolder { folder in
            let aside = URL(fileURLWithPath: folder.path + "/aside")
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    for session in ["erased", "living"] {
                        try await retention.open(session)
                        chat.add(session, state: .draft)
                    }
                }
                try FileManager.default.copyItem(at: keys(in: folder), to: aside)
                let living = try await withRetention(in: folder) { retention in
                    for version in 1...3 as ClosedRange<UInt32> {
                        for session in ["erased", "living"] {
                            _ = try await retention.beginKeyChange(of: session, from: version)
                            _ = try await retention.finishKeyChange(of: session, to: version + 1)
                        }
                    }
                    try await retention.erase("erased")
                    return try await retention.key(of: "living")
                }
                try move(aside, to: keys(in: folder))
                #expect(try folder.usedSlots().count == 4)
                try await withRetention(in: folder) { retention in
                    // The tokens' key of the living session: its content's key is newer than the copy.
                    let slots = try folder.usedSlots()
                    #expect(slots.count == 1)
                    #expect(retention.log.text.contains("keys that were destroyed before were there again"))
                    let status = try await status { try await retention.key(of: "living") }
                    #expect(status?.reason == "SESSION_KEY_MISSING" && living.keyVersion == 4)
                }
            }
        }
    }

    @Test("a session that chat has spoken of is not withdrawn when chat has lost it")
    func heldIsNotWithdrawn() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    _ = try await retention.deadlines(of: ["session-1"])
                    try await expectRefusal(.failedPrecondition, reason: "SESSION_IN_USE") {
                        try await retention.withdraw("session-1")
                    }
                    #expect(try await retention.key(of: "session-1").key.count == 32)
                }
            }
        }
    }

    @Test("changes of keys that were never finished, of sessions that are erased, keep nobody from starting")
    func unfinishedChanges() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, schedules: false) { retention in
                    try await retention.record()
                    for number in 0..<120 {
                        let session = "session-\(number)"
                        try await retention.open(session)
                        chat.add(session, state: .draft)
                        _ = try await retention.beginKeyChange(of: session, from: 1)
                        // As a FinishKeyChange that fails after it has stored its first step.
                        _ = try await retention.assembly.store.change(session) { try $0.keys.adopt(2) }
                        try await retention.erase(session)
                    }
                }
                try await withRetention(in: folder) { retention in
                    let (slots, store) = (try folder.usedSlots(), retention.assembly.store)
                    #expect(slots.isEmpty)
                    #expect(try await store.retiringKeys(after: "", limit: 1).isEmpty)
                }
            }
        }
    }
}
