import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import Synchronization
import Testing

@Suite("Erasing without being asked")
struct SchedulerTests {
    private struct Crash: Error {}

    @Test("a session is erased when its time has passed, and not before")
    func automatic() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 7)
                    for id in ["session-1", "session-2"] {
                        try await retention.open(id)
                        chat.add(id, state: .ended, questions: Questions.some)
                    }
                    try await retention.end("session-1")
                    retention.clock.advance(by: 86_400)
                    let key = try await retention.key(of: "session-1").key
                    let deadline = try #require(try await retention.end("session-2"))
                    retention.clock.advance(by: 6 * 86_400)
                    try await eventually("the session is erased") { try await retention.isCertified("session-1") }
                    try expectNoTrace(of: key, in: folder)
                    let statement = try ErasureStatement(
                        reading: try await retention.certificate(of: "session-1").statement)
                    #expect(statement.trigger == .automatic)
                    #expect(statement.evidence.content.counts == Questions.counts)

                    retention.clock.advance(to: deadline.addingTimeInterval(-1))
                    #expect(try await retention.key(of: "session-2").key.count == 32)
                    #expect(chat.erasures(of: "session-2") == 0)
                    retention.clock.advance(to: deadline)
                    try await eventually("the other is erased") { try await retention.isCertified("session-2") }
                }
            }
        }
    }

    @Test("a policy of no days erases a session as soon as it has ended")
    func noDays() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 7)
                    try await retention.open("session-1")
                    chat.add("session-1", state: .ended)
                    try await retention.end("session-1")
                    try await retention.setPolicy(0, erasing: 1, confirmsZeroDays: true)
                    try await eventually("the session is erased") { try await retention.isCertified("session-1") }
                }
            }
        }
    }

    @Test("while chat is down keys are destroyed all the same, and the rest follows when it is back")
    func chatDown() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withRetention(in: folder) { retention in
                try await retention.record(cap: 1)
                let key = try await retention.open("session-1").key
                try await retention.end("session-1")
                chat.add("session-1", state: .ended, questions: Questions.some)
                let asked = try await retention.open("session-2").key
                try await retention.end("session-2")
                chat.add("session-2", state: .ended)

                let refusal = try await status { try await retention.erase("session-2") }
                #expect(refusal?.code == .unavailable)
                #expect(refusal?.message.contains("chat") == true)
                try expectNoTrace(of: asked, in: folder)

                retention.clock.advance(by: 86_400)
                try await eventually("the key is destroyed") {
                    try folder.retentionFiles().values.allSatisfy { $0.range(of: Data(key)) == nil }
                }
                try expectNoTrace(of: key, in: folder)
                #expect(try await !retention.isCertified("session-1"))

                try await withChat(chat, in: folder) {
                    try await eventually("both are erased") {
                        let first = try await retention.isCertified("session-1")
                        let second = try await retention.isCertified("session-2")
                        return first && second
                    }
                }
                let one = try await retention.certificate(of: "session-1")
                #expect(try ErasureStatement(reading: one.statement).trigger == .automatic)
                let two = try await retention.certificate(of: "session-2")
                #expect(try ErasureStatement(reading: two.statement).trigger == .manual)
            }
        }
    }

    @Test("without an end on record, and without chat to ask, nothing is erased")
    func chatDownAndNoEnd() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record()
                try await retention.open("session-1")
                let refusal = try await status { try await retention.erase("session-1") }
                #expect(refusal?.code == .unavailable)
                #expect(refusal?.message.contains("chat") == true)
                #expect(try await retention.key(of: "session-1").key.count == 32)
            }
        }
    }

    @Test("sessions that chat fails to erase hold up no other, and are tried again")
    func oneFails() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            chat.state.withLock { $0.failing = Set((0..<6).map { "failing-\($0)" }) }
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 1)
                    let ids = (0..<6).flatMap { ["failing-\($0)", "session-\($0)"] }
                    for id in ids {
                        try await retention.open(id)
                        chat.add(id, state: .ended)
                        try await retention.end(id)
                    }
                    retention.clock.advance(by: 86_400)
                    for number in 0..<6 {
                        try await eventually("the sound ones are erased") {
                            try await retention.isCertified("session-\(number)")
                        }
                    }
                    try await eventually("the others are tried again") { chat.erasures(of: "failing-5") > 1 }
                    #expect(try await !retention.isCertified("failing-0"))
                    chat.state.withLock { $0.failing = [] }
                    for number in 0..<6 {
                        try await eventually("and erased in the end") {
                            try await retention.isCertified("failing-\(number)")
                        }
                    }
                    let chain = try await retention.certificates().certificates.map { Certificate($0) }
                    let key = try #require(try await retention.ledgerKey())
                    #expect(chain.count == 12)
                    #expect(CertificateVerifier.verify(chain: chain, key: key) == nil)
                }
            }
        }
    }

    @Test("overdue for an hour is an alarm")
    func alarm() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(cap: 1)
                try await retention.open("session-1")
                try await retention.end("session-1")
                retention.clock.advance(by: 86_400 + 3000)
                try await eventually("an erasure is tried") { retention.log.text.contains("did not complete") }
                #expect(!retention.log.text.contains("overdue for erasure"))
                retention.clock.advance(by: 600)
                try await eventually("an alarm is raised") { retention.log.text.contains("overdue for erasure") }
            }
        }
    }

    private static let crashes: [(ErasureStep, stored: Bool)] = [
        (.destroyKey, false), (.destroyKey, true), (.eraseContent, false), (.eraseContent, true), (.certify, false),
    ]

    @Test("an erasure that stops between any two steps is finished by the next start", arguments: 0..<crashes.count)
    func resumes(point: Int) async throws {
        let (step, afterWork) = Self.crashes[point]
        let crash: @Sendable (ErasureStep, String) throws -> Void = { reached, _ in
            if reached == step { throw Crash() }
        }
        let hooks = afterWork ? ErasureHooks(beforeStoring: crash) : ErasureHooks(before: crash)
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                let key = try await withRetention(in: folder, schedules: false, hooks: hooks) { retention in
                    try await retention.record()
                    let key = try await retention.open("session-1").key
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await retention.end("session-1")
                    try await expectRefusal(.internal) { try await retention.erase("session-1") }
                    #expect(try await !retention.isCertified("session-1"))
                    return key
                }
                if step != .destroyKey || afterWork { try expectNoTrace(of: key, in: folder) }
                try await withRetention(in: folder) { retention in
                    try await eventually("the erasure is finished") { try await retention.isCertified("session-1") }
                    try expectNoTrace(of: key, in: folder)
                    let certificate = try await retention.certificate(of: "session-1")
                    #expect(try ErasureStatement(reading: certificate.statement).trigger == .manual)
                    let ledgerKey = try #require(try await retention.ledgerKey())
                    #expect(CertificateVerifier.verify(chain: [Certificate(certificate)], key: ledgerKey) == nil)
                    let isEmpty = chat.state.withLock { $0.logs.isEmpty }
                    #expect(isEmpty)
                }
            }
        }
    }

    @Test("an automatic erasure that stops between any two steps goes on by itself", arguments: 0..<crashes.count)
    func retries(point: Int) async throws {
        let (step, afterWork) = Self.crashes[point]
        let crashes = Mutex(0)
        let crash: @Sendable (ErasureStep, String) throws -> Void = { reached, _ in
            guard reached == step else { return }
            let isFirst = crashes.withLock { count in
                count += 1
                return count == 1
            }
            if isFirst { throw Crash() }
        }
        let hooks = afterWork ? ErasureHooks(beforeStoring: crash) : ErasureHooks(before: crash)
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, hooks: hooks) { retention in
                    try await retention.record(cap: 1)
                    let key = try await retention.open("session-1").key
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await retention.end("session-1")
                    retention.clock.advance(by: 86_400)
                    try await eventually("the erasure is finished") { try await retention.isCertified("session-1") }
                    let tries = crashes.withLock { $0 }
                    #expect(tries > 1)
                    try expectNoTrace(of: key, in: folder)
                }
            }
        }
    }
}
