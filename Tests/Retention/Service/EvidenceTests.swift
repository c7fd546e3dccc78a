import Contracts
import Foundation
import RPC
import RetentionCore
import RetentionServer
import Synchronization
import Testing

@Suite("What a certificate says was seen")
struct EvidenceTests {
    @Test("slots and files as they were seen, and the later of the two clocks")
    func seen() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            let chatTime = RunningRetention.start.addingTimeInterval(90)
            chat.state.withLock { $0.eraseTime = chatTime }
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    _ = try await retention.beginKeyChange(of: "session-1", from: 1)
                    chat.add("session-1", state: .draft, questions: Questions.some)
                    let statement = try ErasureStatement(reading: try await retention.erase("session-1").statement)
                    let (keys, content) = (statement.evidence.keys, statement.evidence.content)
                    #expect(keys.slots == 3)
                    #expect(keys.readBack != nil && keys.place != nil && !keys.medium.isEmpty)
                    #expect(content.found == .fileUnlinked && content.files == 3 && content.bytes == 40_960)
                    #expect(content.time == chatTime && statement.erasedTime == chatTime)
                    #expect(content.counts == Questions.counts)
                }
            }
        }
    }

    @Test("an erasure that was interrupted after it had overwritten the slots says what was seen of them")
    func secondTry() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                let hooks = ErasureHooks(beforeStoring: { step, _ in
                    if step == .destroyKey { throw CancellationError() }
                })
                try await withRetention(in: folder, schedules: false, hooks: hooks) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    chat.add("session-1", state: .draft)
                    _ = try await status { try await retention.erase("session-1") }
                    try await eventually("the slots are overwritten") { try folder.usedSlots().isEmpty }
                }
                try await withRetention(in: folder) { retention in
                    let statement = try ErasureStatement(reading: try await retention.erase("session-1").statement)
                    #expect(statement.evidence.keys.slots == 2 && statement.evidence.keys.readBack != nil)
                }
            }
        }
    }

    @Test(
        "a session that chat once held, and now has nothing of, is not certified: chat's store is not the one it had",
        arguments: ["ended", "asked for", "spoken of"])
    func missing(knownBy: String) async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    switch knownBy {
                    case "ended": try await retention.end("session-1", questions: 3)
                    case "asked for": _ = try await retention.deadlines(of: ["session-1"])
                    default:
                        chat.add("session-1", state: .open)
                        try await expectRefusal(reason: "SESSION_OPEN") { try await retention.erase("session-1") }
                        chat.state.withLock { $0.logs = [:] }
                    }
                    let refusal = try await status { try await retention.erase("session-1") }
                    #expect(refusal?.code == .dataLoss && refusal?.reason == "CONTENT_MISSING")
                    #expect(try await !retention.isCertified("session-1"))
                    // Its key is destroyed all the same, and nothing is readable wherever it lies.
                    #expect(try folder.usedSlots().isEmpty)
                    // The store is found.
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await eventually("it is certified") { try await retention.isCertified("session-1") }
                }
            }
        }
    }
}
