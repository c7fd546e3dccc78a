import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import ServiceKit
import Synchronization
import Testing

@Suite("One organisation against all others")
struct OneAgainstAllTests {
    /// An export whose reader takes one chunk and then nothing: more of it than the sockets hold waits.
    private struct SlowExport {
        var chunks: ResponseStream<RetentionV1.ExportChunk>.AsyncIterator

        /// - Parameter session: has a long log.
        init(_ session: String, _ retention: RunningRetention) async throws {
            var request = RetentionV1.ExportSessionRequest()
            request.sessionID = session
            let options = CallOptions(metadata: RunningRetention.asAdministrator().metadata)
            chunks = retention.client.exportSession(request, options: options).makeAsyncIterator()
            let first = try await chunks.next()
            #expect(first != nil)
        }
    }

    /// Several times what the sockets and windows hold.
    private static let long = Questions.incompressible(4_000)

    /// org-north has a session with a long log; org-south one with a short log that has ended.
    private func withBoth(
        limits: LongCallLimits, _ body: (RunningRetention, ChatPeer) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            chat.add("north", state: .ended, questions: Self.long)
            chat.add("south", organisationID: "org-south", state: .ended, questions: Questions.some)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, longCalls: limits) { retention in
                    for organisation in ["north", "south"] {
                        try await retention.record(organisation: "org-\(organisation)")
                        try await retention.open(organisation, organisation: "org-\(organisation)")
                        try await retention.end(organisation)
                    }
                    try await body(retention, chat)
                }
            }
        }
    }

    private let south = RunningRetention.asAdministrator(of: "org-south")

    @Test("an organisation's slow exports are bounded, and another exports and erases as if there were none")
    func exports() async throws {
        var limits = LongCallLimits()
        limits.exportsOfOrganisation = Bound("exports-of-organisation", most: 2)
        try await withBoth(limits: limits) { retention, _ in
            var slow = [try await SlowExport("north", retention), try await SlowExport("north", retention)]
            for _ in 0..<50 {
                let refusal = try await status { try await retention.export("north") }
                #expect(refusal?.code == .resourceExhausted && refusal?.reason == "TOO_MANY_EXPORTS")
                #expect(refusal?.metadata == ["bound": "exports-of-organisation"])
                #expect(refusal?.retryAfter != nil)
            }
            #expect(try await !retention.export("south", options: south).isEmpty)
            #expect(try await retention.key(of: "south").key.count == 32)
            #expect(try await retention.erase("south", options: south).sessionID == "south")
            let metrics = retention.metrics.text()
            #expect(metrics.contains("bound_refusals_total{bound=\"exports-of-organisation\"} 50\n"))

            // One is let go of: there is room for another.
            slow.removeLast()
            try await eventually("a place is free") {
                try await status { try await SlowExport("north", retention) } == nil
            }
        }
    }

    @Test("an export that is not read is ended, and its place is free")
    func stalled() async throws {
        var limits = LongCallLimits()
        limits.exportsOfOrganisation = Bound("exports-of-organisation", most: 1)
        limits.exportPace.longestPause = .milliseconds(200)
        try await withBoth(limits: limits) { retention, chat in
            var slow = try await SlowExport("north", retention)
            try await eventually("another may be started, though nobody let go of the first") {
                try await status { try await SlowExport("north", retention) } == nil
            }
            let ending = try await status { while try await slow.chunks.next() != nil {} }
            #expect(ending?.code == .deadlineExceeded && ending?.reason == "EXPORT_STALLED")
            #expect(ending?.metadata == ["bound": "export-pause"])
            #expect(retention.metrics.text().contains("bound_refusals_total{bound=\"export-pause\"} "))
            try await eventually("chat's log is not read on") { chat.state.withLock { $0.openReads } == 0 }
        }
    }

    @Test("exports of many organisations leave room for one more")
    func crowded() async throws {
        var limits = LongCallLimits()
        limits.exports = Bound("exports", most: 4)
        limits.exportsOfOrganisation = Bound("exports-of-organisation", most: 3, whenCrowded: 1)
        try await withBoth(limits: limits) { retention, _ in
            var slow: [SlowExport] = []
            for _ in 0..<3 { slow.append(try await SlowExport("north", retention)) }
            #expect(try await status { try await retention.export("north") }?.reason == "TOO_MANY_EXPORTS")
            #expect(try await !retention.export("south", options: south).isEmpty)
            slow.removeAll()
        }
    }

    @Test("erasures that an organisation waits for are bounded, and another's is done at once")
    func erasures() async throws {
        var limits = LongCallLimits()
        limits.erasuresOfOrganisation = Bound("erasures-of-organisation", most: 3)
        try await withBoth(limits: limits) { retention, chat in
            let ids = (0..<5).map { "session-\($0)" }
            for id in ids {
                try await retention.open(id)
                chat.add(id, state: .ended)
                try await retention.end(id)
            }
            chat.state.withLock { $0.held = Set(ids) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in ids.prefix(3) { group.addTask { _ = try await retention.erase(id) } }
                try await eventually("they are waited for") {
                    ids.prefix(3).allSatisfy { chat.erasures(of: $0) > 0 }
                }
                let refusal = try await status { try await retention.erase(ids[3]) }
                #expect(refusal?.code == .resourceExhausted && refusal?.reason == "TOO_MANY_ERASURES")
                #expect(refusal?.metadata == ["bound": "erasures-of-organisation"])
                #expect(try await retention.erase("south", options: south).sessionID == "south")
                chat.state.withLock { $0.held = [] }
                try await group.waitForAll()
            }
            #expect(try await retention.erase(ids[3]).sessionID == ids[3])
        }
    }

    @Test("however many sessions of one organisation are to be erased by the clock, another's is not held up")
    func turns() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    let ids = (0..<80).map { "north-\($0)" }
                    for organisation in ["org-north", "org-south"] {
                        try await retention.record(organisation: organisation, cap: 1)
                    }
                    for id in ids + ["south"] {
                        let organisation = id == "south" ? "org-south" : "org-north"
                        try await retention.open(id, organisation: organisation)
                        chat.add(id, organisationID: organisation, state: .ended)
                        try await retention.end(id)
                    }
                    // Chat takes for ever over whatever org-north has.
                    chat.state.withLock { $0.held = Set(ids) }
                    retention.clock.advance(by: 86_400)
                    try await eventually("org-south's session is erased") { try await retention.isCertified("south") }
                    #expect(ids.count { chat.erasures(of: $0) > 0 } <= 3)
                    chat.state.withLock { $0.held = [] }
                    try await eventually("and in the end every other") {
                        try await retention.certificates(size: 200).certificates.count == 81
                    }
                }
            }
        }
    }
}
