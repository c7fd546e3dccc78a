import Contracts
import Foundation
import RPC
import RetentionCore
import RetentionServer
import Testing

@Suite("How many sessions an organisation may have")
struct SessionLimitTests {
    @Test(
        "one more is refused by name, and leaves no key; another organisation does not notice; an erased one makes room"
    )
    func limit() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            var limits = RetentionLimits()
            limits.sessionsPerOrganisation = 3
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, limits: limits) { retention in
                    try await retention.record(organisation: "org-north")
                    try await retention.record(organisation: "org-south")
                    for number in 1...3 { try await retention.open("session-\(number)") }
                    let refusal = try await status { try await retention.open("session-4") }
                    #expect(refusal?.code == .resourceExhausted)
                    #expect(refusal?.reason == "SESSION_LIMIT")
                    #expect(try folder.usedSlots().count == 6)
                    // What is there is given out as before.
                    #expect(try await retention.open("session-1").key.count == 32)
                    try await retention.open("south", organisation: "org-south")

                    chat.add("session-1", state: .ended)
                    try await retention.end("session-1")
                    try await retention.erase("session-1")
                    try await retention.open("session-4")
                }
            }
        }
    }

    @Test("a shortening of as many as there may be is one change, and another organisation's sessions go on meanwhile")
    func shorteningOfAll() async throws {
        try await withFolder { folder in
            var limits = RetentionLimits()
            limits.sessionsPerOrganisation = 1_000
            try await withRetention(in: folder, limits: limits) { [limits] retention in
                try await retention.record(organisation: "org-north")
                try await retention.record(organisation: "org-south")
                let most = limits.sessionsPerOrganisation
                let store = retention.assembly.store
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for first in stride(from: 0, to: most, by: 100) {
                        group.addTask {
                            for number in first..<(first + 100) {
                                let id = "session-\(number)"
                                _ = try await store.register(
                                    sessionID: id, organisationID: "org-north", maximumDays: 30,
                                    at: RunningRetention.start)
                                let ended = RunningRetention.start.addingTimeInterval(-Double(number % 20) * 86_400)
                                _ = try await store.change(id) { $0.end(at: ended, now: RunningRetention.start) }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                try await expectRefusal(.resourceExhausted, reason: "SESSION_LIMIT") {
                    try await retention.open("one-more")
                }
                let preview = try await retention.previewPolicy(20)
                #expect(preview.movedSessions == UInt32(most) && preview.sessions.count == 100)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await retention.setPolicy(20) }
                    for number in 0..<20 {
                        group.addTask { try await retention.open("south-\(number)", organisation: "org-south") }
                    }
                    try await group.waitForAll()
                }
                #expect(try await retention.deadlines(of: ["session-999"]).first?.retentionDays == 20)
                #expect(try await retention.previewPolicy(20).movedSessions == 0)
            }
        }
    }
}
