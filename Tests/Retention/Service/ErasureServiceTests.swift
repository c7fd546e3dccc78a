import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import Synchronization
import Testing

@Suite("Erasing over the socket")
struct ErasureServiceTests {
    @Test("an erased session leaves a certificate that verifies, and nothing else")
    func erases() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 7)
                    let key = try await retention.open("session-1").key
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await retention.end("session-1")
                    retention.clock.advance(by: 60)
                    let certificate = try await retention.erase("session-1")

                    let statement = try ErasureStatement(reading: certificate.statement)
                    #expect(statement.sequence == 1)
                    #expect(statement.previous == ErasureStatement.noPrevious)
                    #expect(statement.trigger == .manual)
                    #expect(statement.evidence.content.counts == Questions.counts)
                    #expect(statement.endTime == RunningRetention.start)
                    #expect(statement.deadline == RunningRetention.start.addingTimeInterval(7 * 86_400))
                    #expect(statement.erasedTime == RunningRetention.start.addingTimeInterval(60))
                    #expect(statement.retentionDays == 7)
                    #expect(certificate.sessionID == "session-1")
                    #expect(certificate.organisationID == "org-north")
                    #expect(certificate.trigger == .manual)
                    let ledgerKey = try #require(try await retention.ledgerKey())
                    #expect(CertificateVerifier.verify(Certificate(certificate), key: ledgerKey) == nil)

                    try await expectRefusal(.notFound) { try await retention.key(of: "session-1") }
                    try await expectRefusal(.notFound) { try await retention.open("session-1") }
                    try await expectRefusal(.notFound) { try await retention.end("session-1") }
                    #expect(try await retention.erase("session-1") == certificate)
                    #expect(try await retention.certificate(of: "session-1") == certificate)
                    #expect(chat.erasures(of: "session-1") == 1)
                    try expectNoTrace(of: key, in: folder)
                }
            }
        }
    }

    @Test("the certificate says where chat and retention kept it, as each declares, also when chat is silent")
    func regions() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, region: "fi") { retention in
                    try await retention.record()
                    // A chat of an earlier version says nothing; what is no region is not repeated.
                    for (session, declared) in [("one", "se-lund"), ("two", ""), ("three", "us-east-1")] {
                        chat.state.withLock { $0.region = declared }
                        _ = try await retention.open(session)
                        chat.add(session, state: .draft)
                        let statement = try ErasureStatement(reading: try await retention.erase(session).statement)
                        #expect(statement.regions.retention?.name == "fi")
                        #expect(statement.regions.chat?.name == (session == "one" ? "se-lund" : nil))
                    }
                }
            }
        }
    }

    @Test("a key lies in no file as it is; erasing overwrites its slots where they lie, and no other's")
    func keySlots() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, schedules: false) { retention in
                    try await retention.record()
                    var keys: [RetentionV1.SessionKey] = []
                    for number in 0..<40 {
                        keys.append(try await retention.open("session-\(number)"))
                        chat.add("session-\(number)", state: .draft)
                    }
                    for key in keys {
                        #expect(key.tokenKey.count == 32 && key.tokenKey != key.key && key.nextKey.isEmpty)
                        try expectNoTrace(of: key.key, in: folder)
                        try expectNoTrace(of: key.tokenKey, in: folder)
                    }
                    let before = try folder.usedSlots()
                    #expect(before.count == 80)
                    for number in stride(from: 0, to: 40, by: 2) { try await retention.erase("session-\(number)") }
                    let after = try folder.usedSlots()
                    #expect(after.count == 40)
                    #expect(after.isSubset(of: before))
                    for number in stride(from: 1, to: 40, by: 2) {
                        #expect(try await retention.key(of: "session-\(number)") == keys[number])
                    }
                }
            }
        }
    }

    @Test(
        "a destroyed key that a restored folder of keys brings back is destroyed before any call; living sessions keep theirs"
    )
    func restoredKeys() async throws {
        try await withFolder { folder in
            let files = FileManager.default
            let (keyFolder, backup) = (folder.path + "/retention/keys", folder.path + "/backup")
            try await withChat(ChatPeer(), in: folder) {
                let key = try await withRetention(in: folder) { retention in
                    try await retention.record()
                    _ = try await retention.open("session-1")
                    return try await retention.open("session-2")
                }
                try files.copyItem(atPath: keyFolder, toPath: backup)
                try await withRetention(in: folder) { retention in _ = try await retention.erase("session-1") }
                #expect(try folder.usedSlots().count == 2)
                try files.removeItem(atPath: keyFolder)
                try files.copyItem(atPath: backup, toPath: keyFolder)
                #expect(try folder.usedSlots().count == 4)

                let log = CapturedLog()
                try await withRetention(in: folder, log: log, schedules: false) { retention in
                    let (slots, living) = (try folder.usedSlots(), try await retention.key(of: "session-2"))
                    #expect(slots.count == 2)
                    #expect(living == key)
                }
                #expect(log.text.contains("keys that were destroyed before were there again"))
            }
        }
    }

    @Test("a session that chat has nothing of is erased with counts of zero")
    func nothingInChat() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    let statement = try ErasureStatement(reading: try await retention.erase("session-1").statement)
                    #expect(statement.evidence.content.counts == ErasedCounts())
                    #expect(statement.endTime == nil)
                    #expect(statement.deadline == nil)
                }
            }
        }
    }

    @Test("an open session is not erased, and keeps its key")
    func openSession() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    chat.add("session-1", state: .open, questions: Questions.some)
                    let refusal = try await status { try await retention.erase("session-1") }
                    #expect(refusal?.code == .failedPrecondition)
                    #expect(refusal?.reason == "SESSION_OPEN")
                    #expect(try await retention.key(of: "session-1").key.count == 32)
                    #expect(chat.erasures(of: "session-1") == 0)
                    try await eventually("chat's answer is not read to its end") {
                        chat.state.withLock { $0.openReads } == 0
                    }
                }
            }
        }
    }

    @Test("an end that only chat knows of is on the certificate")
    func endKnownToChat() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 7)
                    try await retention.open("session-1")
                    let end = RunningRetention.start.addingTimeInterval(-3600)
                    chat.add("session-1", state: .ended, endTime: end)
                    let statement = try ErasureStatement(reading: try await retention.erase("session-1").statement)
                    #expect(statement.endTime == end)
                    #expect(statement.deadline == end.addingTimeInterval(7 * 86_400))
                }
            }
        }
    }

    @Test(
        "an erasure has to be confirmed by the session's id", arguments: ["", "session-2", "SESSION-1", "session-1 "])
    func confirmation(text: String) async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record()
                try await retention.open("session-1")
                try await retention.end("session-1")
                let refusal = try await status { try await retention.erase("session-1", confirm: text) }
                #expect(refusal?.code == .failedPrecondition)
                #expect(refusal?.reason == "CONFIRMATION_MISMATCH")
                #expect(try await retention.key(of: "session-1").key.count == 32)
            }
        }
    }

    @Test("another organisation's session can't be told from none")
    func otherOrganisation() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    try await retention.open("session-2")
                    try await retention.erase("session-2")
                    let south = RunningRetention.asAdministrator(of: "org-south")
                    for id in ["session-1", "session-2", "session-3"] {
                        let refusals = [
                            try await status { try await retention.erase(id, options: south) },
                            try await status { try await retention.export(id, options: south) },
                            try await status { try await retention.certificate(of: id, options: south) },
                        ]
                        for refusal in refusals {
                            #expect(refusal == RPCError(.notFound, "session: not found", reason: "SESSION_NOT_FOUND"))
                        }
                    }
                    #expect(try await retention.key(of: "session-1").key.count == 32)
                    try await expectRefusal(reason: "CERTIFICATE_NOT_FOUND") {
                        try await retention.certificate(of: "session-1")
                    }
                }
            }
        }
    }

    @Test("many who erase one session at once get one certificate, and chat is asked once")
    func concurrent() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    chat.add("session-1", state: .draft, questions: Questions.some)
                    let statements = try await withThrowingTaskGroup(of: String.self) { group in
                        for _ in 0..<12 { group.addTask { try await retention.erase("session-1").statement } }
                        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
                    }
                    #expect(statements.count == 1)
                    #expect(chat.erasures(of: "session-1") == 1)
                    #expect(try await retention.certificates().certificates.count == 1)
                }
            }
        }
    }
}
