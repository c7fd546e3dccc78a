import Contracts
import Foundation
import KeySlots
import Privacy
import RPC
import RetentionCore
import RetentionServer
import ServiceKit
import Testing

@Suite("Changing and withdrawing keys over the socket")
struct KeyChangeTests {
    @Test("a change puts the next key in the place of the old one, whose slot is overwritten; the tokens' key stays")
    func change() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record()
                let first = try await retention.open("session-1")
                let other = try await retention.open("session-2")
                #expect(first.keyVersion == 1 && first.nextKey.isEmpty)
                let before = try folder.usedSlots()

                let begun = try await retention.beginKeyChange(of: "session-1", from: 1)
                #expect(begun.key == first.key && begun.keyVersion == 1)
                #expect(begun.nextKey.count == 32 && begun.nextKey != first.key)
                #expect(try await retention.beginKeyChange(of: "session-1", from: 1) == begun)
                #expect(try await retention.key(of: "session-1") == begun)
                #expect(try folder.usedSlots().count == before.count + 1)

                let finished = try await retention.finishKeyChange(of: "session-1", to: 2)
                #expect(finished.key == begun.nextKey && finished.keyVersion == 2 && finished.nextKey.isEmpty)
                #expect(finished.tokenKey == first.tokenKey)
                #expect(try await retention.finishKeyChange(of: "session-1", to: 2) == finished)
                #expect(try await retention.key(of: "session-1") == finished)
                #expect(try folder.usedSlots().count == before.count)
                #expect(before.subtracting(try folder.usedSlots()).count == 1)
                #expect(try await retention.key(of: "session-2") == other)
            }
        }
    }

    @Test("a change from another version than the one in use is refused, and says which that is")
    func otherVersion() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record()
                try await retention.open("session-1")
                for call in [
                    { _ = try await retention.beginKeyChange(of: "session-1", from: 2) },
                    { _ = try await retention.beginKeyChange(of: "session-1", from: 0) },
                    { _ = try await retention.finishKeyChange(of: "session-1", to: 2) },
                ] {
                    let refusal = try await status(call)
                    #expect(refusal?.code == .failedPrecondition && refusal?.reason == "KEY_VERSION")
                    #expect(refusal?.message.contains("version 1 is in use") == true)
                }
                try await expectRefusal(.notFound) { try await retention.beginKeyChange(of: "session-9", from: 1) }
            }
        }
    }

    @Test("an old key whose destruction a crash kept back is destroyed at the next start")
    func interrupted() async throws {
        try await withFolder { folder in
            let begun = try await withRetention(in: folder) { retention in
                try await retention.record()
                try await retention.open("session-1")
                let begun = try await retention.beginKeyChange(of: "session-1", from: 1)
                // As FinishKeyChange does first.
                _ = try await retention.assembly.store.change("session-1") { try $0.keys.adopt(2) }
                return begun
            }
            #expect(try folder.usedSlots().count == 3)
            try await withRetention(in: folder) { retention in
                #expect(try folder.usedSlots().count == 2)
                let key = try await retention.key(of: "session-1")
                #expect(key.key == begun.nextKey && key.keyVersion == 2)
            }
        }
    }

    @Test("erasing in the middle of a change overwrites all three slots", arguments: [false, true])
    func erasedMeanwhile(schedules: Bool) async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder, schedules: schedules) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    _ = try await retention.beginKeyChange(of: "session-1", from: 1)
                    #expect(try folder.usedSlots().count == 3)
                    try await retention.erase("session-1")
                    #expect(try folder.usedSlots().isEmpty)
                    try await expectRefusal(.notFound) { try await retention.finishKeyChange(of: "session-1", to: 2) }
                    #expect(try folder.usedSlots().isEmpty)
                }
            }
        }
    }

    @Test("a session that chat never had is withdrawn with its keys, and needs no certificate")
    func withdrawn() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    let first = try await retention.open("session-1")
                    try await retention.withdraw("session-1")
                    #expect(try folder.usedSlots().isEmpty)
                    try await expectRefusal(.notFound) { try await retention.key(of: "session-1") }
                    try await retention.withdraw("session-1")
                    #expect(try await retention.open("session-1").key != first.key)
                    #expect(try await retention.certificates().certificates.isEmpty)
                }
            }
        }
    }

    @Test("a session that chat has, or that has ended, can't be withdrawn")
    func inUse() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    for session in ["session-1", "session-2"] { try await retention.open(session) }
                    chat.add("session-1", state: .draft)
                    try await retention.end("session-2")
                    for session in ["session-1", "session-2"] {
                        try await expectRefusal(.failedPrecondition, reason: "SESSION_IN_USE") {
                            try await retention.withdraw(session)
                        }
                        #expect(try await retention.key(of: session).key.count == 32)
                    }
                }
            }
        }
    }

    @Test("a session of whose end nobody tells is erased a month after it must have ended")
    func backstop() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("short", maxDays: 1)
                    try await retention.open("long", maxDays: 60)
                    retention.clock.advance(by: 33 * 86_400)
                    try await eventually("it is certified") { try await retention.isCertified("short") }
                    #expect(try await retention.key(of: "long").key.count == 32)
                    #expect(try folder.usedSlots().count == 2)
                }
            }
        }
    }

    @Test("the wrapping key is changed when its time has passed; every key stays what it was")
    func rotation() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record()
                var keys: [RetentionV1.SessionKey] = []
                for number in 0..<20 { keys.append(try await retention.open("session-\(number)")) }
                let file = folder.path + "/retention/keys/wrapping-keys"
                let before = FileManager.default.contents(atPath: file)
                retention.clock.advance(by: 86_400)
                let rotation = Task { try await retention.assembly.rotation.run() }
                try await eventually("another wrapping key is in use") {
                    retention.log.text.contains("the wrapping key was changed")
                }
                rotation.cancel()
                #expect(FileManager.default.contents(atPath: file) != before)
                for number in 0..<20 {
                    #expect(try await retention.key(of: "session-\(number)") == keys[number])
                }
                #expect(retention.metrics.text().contains("wrapping_key_age_seconds"))
            }
        }
    }

    @Test("keys of sessions that are not on record are noted, and destroyed when none of that age can be there")
    func strays() async throws {
        try await withFolder { folder in
            let clock = ManualWallClock(RunningRetention.start)
            try await withRetention(in: folder, clock: clock) { retention in
                _ = try await retention.record()
            }
            let slots = try KeySlots(
                folder: folder.path + "/retention/keys", memory: SecretMemory(capacity: 8))
            _ = try await slots.keyOrNew(named: KeyName("content 1 nobody's"))
            await slots.close()
            let log = CapturedLog()
            try await withRetention(in: folder, clock: clock, log: log) { _ in }
            #expect(log.text.contains("keys of sessions that are not on record"))
            #expect(try folder.usedSlots().count == 1)
            clock.advance(by: 400 * 86_400)
            try await withRetention(in: folder, clock: clock) { _ in }
            #expect(try folder.usedSlots().isEmpty)
        }
    }
}
