import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import Synchronization
import Testing

@Suite("Shortening the retention time over the socket")
struct ShorteningServiceTests {
    private static let day: TimeInterval = 86_400
    private static let start = RunningRetention.start

    /// Under a cap of 30 days: two sessions that ended 10 and 5 days ago, one just now, and one that goes on.
    private func withSessions(
        _ body: (RunningRetention, ChatPeer, TestFolder) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 30)
                    for (id, age) in [("ten", 10.0), ("five", 5), ("now", 0)] {
                        try await retention.open(id)
                        let ended = Self.start.addingTimeInterval(-age * Self.day)
                        chat.add(id, state: .ended, endTime: ended, questions: Questions.some)
                        try await retention.end(id, at: ended)
                    }
                    try await retention.open("open")
                    chat.add("open", state: .open)
                    try await body(retention, chat, folder)
                }
            }
        }
    }

    @Test("a preview counts exactly, names the sessions with their old and new dates, and changes nothing")
    func preview() async throws {
        try await withSessions { retention, chat, _ in
            let preview = try await retention.previewPolicy(7)
            #expect(preview.retentionDays == 7 && preview.agreementVersion == 1)
            #expect(preview.erasedSessions == 1 && preview.movedSessions == 2 && preview.unendedSessions == 1)
            #expect(preview.sessions.map(\.sessionID) == ["ten", "five", "now"])
            let ages = preview.sessions.compactMap { $0.endTime?.date.timeIntervalSince(Self.start) }
            #expect(ages == [-10 * Self.day, -5 * Self.day, 0])
            #expect(preview.sessions.map(\.erasedAtOnce) == [true, false, false])
            for session in preview.sessions {
                let ended = try #require(session.endTime?.date)
                #expect(session.newDeleteTime?.date == ended.addingTimeInterval(7 * Self.day))
                #expect(session.deleteTime?.date == ended.addingTimeInterval(30 * Self.day))
            }
            let longer = try await retention.previewPolicy(30)
            #expect(longer.erasedSessions + longer.movedSessions + longer.unendedSessions == 0)
            #expect(try await retention.policy().version == 1)
            #expect(try await retention.key(of: "ten").retentionDays == 30)
            #expect(chat.deadline(of: "five") == nil)
        }
    }

    @Test("nothing is erased by a number alone: without the exact count it is refused, and nothing has changed")
    func unconfirmed() async throws {
        try await withSessions { retention, _, _ in
            for expected: UInt32 in [0, 2, .max] {
                let refusal = try #require(try await status { try await retention.setPolicy(7, erasing: expected) })
                #expect(refusal.code == .failedPrecondition)
                #expect(refusal.reason == "ERASURES_UNCONFIRMED")
                #expect(refusal.fields.map(\.field) == ["expected_erasures"])
                #expect(refusal.message.contains("1 would be erased"))
            }
            #expect(try await retention.policy() == .init(organisationID: "org-north", retentionDays: 30, version: 1))
            #expect(try await retention.key(of: "ten").retentionDays == 30)
            #expect(try await retention.deadlines(of: ["five"]).first?.retentionDays == 30)
        }
    }

    @Test("with it the one is erased with a certificate, and the others' dates have moved, in chat too")
    func confirmed() async throws {
        try await withSessions { retention, chat, folder in
            let key = try await retention.key(of: "ten").key
            let policy = try await retention.setPolicy(7, erasing: 1)
            #expect(policy.retentionDays == 7 && policy.version == 2)
            try await eventually("the session is erased") { try await retention.isCertified("ten") }
            try expectNoTrace(of: key, in: folder)
            let statement = try ErasureStatement(reading: try await retention.certificate(of: "ten").statement)
            #expect(statement.trigger == .automatic && statement.retentionDays == 7 && statement.policyVersion == 2)

            for (id, age) in [("five", 5.0), ("now", 0)] {
                let moved = Self.start.addingTimeInterval((7 - age) * Self.day)
                try await eventually("chat hears of \(id)") { chat.deadline(of: id)?.deleteTime?.date == moved }
                #expect(chat.deadline(of: id)?.retentionDays == 7)
                #expect(try await retention.end(id) == moved)
            }
            try await eventually("chat hears of what is open") { chat.deadline(of: "open")?.retentionDays == 7 }
            #expect(chat.deadline(of: "open")?.deleteTime == nil)
            #expect(
                try await retention.deadlines(of: ["ten", "five", "open", "unknown"]).map(\.sessionID) == [
                    "five", "open",
                ])

            // The same again, as when its answer was lost.
            #expect(try await retention.setPolicy(7, erasing: 1) == policy)
            // Longer again: for sessions to come.
            try await retention.setPolicy(20)
            #expect(try await retention.key(of: "five").retentionDays == 7)
            #expect(try await retention.open("new").retentionDays == 20)
        }
    }

    @Test("time that passes between preview and answer is no trap: what was not shown is not erased")
    func timePasses() async throws {
        try await withSessions { retention, _, _ in
            #expect(try await retention.previewPolicy(7).erasedSessions == 1)
            retention.clock.advance(by: 2 * Self.day)
            try await expectRefusal(.failedPrecondition, reason: "ERASURES_UNCONFIRMED") {
                try await retention.setPolicy(7, erasing: 1)
            }
            #expect(try await retention.key(of: "five").retentionDays == 30)
            #expect(try await retention.previewPolicy(7).erasedSessions == 2)
            try await retention.setPolicy(7, erasing: 2)
            try await eventually("both are erased") {
                let ten = try await retention.isCertified("ten")
                let five = try await retention.isCertified("five")
                return ten && five
            }
            #expect(try await retention.key(of: "now").retentionDays == 7)
        }
    }

    @Test("as many sessions as were shown, but other ones, are not erased")
    func otherSessions() async throws {
        try await withSessions { retention, _, _ in
            let shown = try await retention.previewPolicy(7)
            #expect(shown.erasedSessions == 1 && !shown.previewVersion.isEmpty)
            #expect(try await retention.previewPolicy(7).previewVersion == shown.previewVersion)
            // The one that was shown goes by hand, and another comes to be as old.
            try await retention.erase("ten")
            retention.clock.advance(by: 2 * Self.day)
            let now = try await retention.previewPolicy(7)
            #expect(now.erasedSessions == 1 && now.previewVersion != shown.previewVersion)
            try await expectRefusal(.failedPrecondition, reason: "PREVIEW_OUTDATED") {
                try await retention.setPolicy(7, erasing: 1, shown: shown.previewVersion)
            }
            #expect(try await retention.key(of: "five").retentionDays == 30)
            try await retention.record(cap: 7)
            try await expectRefusal(.failedPrecondition, reason: "PREVIEW_OUTDATED") {
                try await retention.confirmAgreement(version: 2, erasing: 1, shown: "none")
            }
            #expect(try await retention.key(of: "five").retentionDays == 30)
            let cap = try await retention.previewAgreement()
            #expect(cap.previewVersion == now.previewVersion)
            try await retention.confirmAgreement(version: 2, erasing: 1, shown: cap.previewVersion)
            try await eventually("it is erased") { try await retention.isCertified("five") }
        }
    }

    @Test("a preview above the cap is refused as the policy would be, and one without an agreement is too")
    func previewBounds() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                let early = [
                    try await status { try await retention.previewPolicy(1) },
                    try await status { try await retention.previewAgreement() },
                    try await status { try await retention.confirmAgreement(version: 1) },
                ]
                #expect(
                    early.map { $0?.reason } == ["AGREEMENT_REQUIRED", "AGREEMENT_REQUIRED", "AGREEMENT_NOT_FOUND"])
                try await retention.record(cap: 14)
                for days: UInt32 in [15, 31, .max] {
                    let refusal = try await status { try await retention.previewPolicy(days) }
                    #expect(refusal?.fields.map(\.field) == ["retention_days"])
                }
                for organisation in ["", "Org North", String(repeating: "a", count: 65)] {
                    let refusals = [
                        try await status { try await retention.previewPolicy(1, organisation: organisation) },
                        try await status { try await retention.previewAgreement(of: organisation) },
                        try await status {
                            try await retention.confirmAgreement(version: 1, organisation: organisation)
                        },
                    ]
                    for refusal in refusals { #expect(refusal?.fields.map(\.field) == ["organisation_id"]) }
                }
            }
        }
    }

    @Test("of many who set it at once, each is done whole or not at all")
    func race() async throws {
        try await withSessions { retention, _, _ in
            let outcomes = try await withThrowingTaskGroup(of: RPCError?.self) { group in
                for days: UInt32 in 1...20 {
                    group.addTask { try await status { try await retention.setPolicy(days, erasing: 1) } }
                }
                return try await group.reduce(into: [RPCError?]()) { $0.append($1) }
            }
            for refusal in outcomes { #expect(refusal == nil || refusal?.reason == "ERASURES_UNCONFIRMED") }
            let done = outcomes.filter { $0 == nil }.count
            #expect(done >= 1)
            #expect(try await retention.policy().version == UInt32(1 + done))
            try await eventually("the session is erased") { try await retention.isCertified("ten") }
            #expect(try await retention.deadlines(of: ["now", "open"]).count == 2)
        }
    }

    @Test("0 days is set only by who says that it is meant")
    func zeroDays() async throws {
        try await withSessions { retention, _, _ in
            let preview = try await retention.previewPolicy(0)
            #expect(preview.erasedSessions == 3 && preview.unendedSessions == 1)
            let refusal = try await status { try await retention.setPolicy(0, erasing: 3) }
            #expect(refusal?.code == .failedPrecondition)
            #expect(refusal?.reason == "ZERO_DAYS_UNCONFIRMED")
            #expect(refusal?.fields.map(\.field) == ["confirm_zero_days"])
            try await expectRefusal(reason: "ERASURES_UNCONFIRMED") {
                try await retention.setPolicy(0, confirmsZeroDays: true)
            }
            #expect(try await retention.policy().retentionDays == 30)
            try await retention.setPolicy(0, erasing: 3, confirmsZeroDays: true)
            for id in ["ten", "five", "now"] {
                try await eventually("\(id) is erased") { try await retention.isCertified(id) }
            }
            #expect(try await retention.key(of: "open").retentionDays == 0)
            let ended = try await retention.end("open")
            #expect(ended == Self.start)
            try await eventually("it is erased as it ends") { try await retention.isCertified("open") }
        }
    }

    @Test("a lower cap holds for new sessions at once, and for the others when an administrator has confirmed it")
    func lowerCap() async throws {
        try await withSessions { retention, chat, _ in
            let recorded = try await retention.record(cap: 7)
            #expect(recorded.version == 2 && recorded.confirmationPending && recorded.confirmTime == nil)
            #expect(try await retention.policy().retentionDays == 7)
            #expect(try await retention.open("new").retentionDays == 7)
            #expect(try await retention.key(of: "ten").retentionDays == 30)
            #expect(try await retention.deadlines(of: ["five"]).first?.retentionDays == 30)
            #expect(chat.deadline(of: "five") == nil)

            let preview = try await retention.previewAgreement()
            #expect(preview.retentionDays == 7 && preview.agreementVersion == 2)
            #expect(preview.erasedSessions == 1 && preview.movedSessions == 2 && preview.unendedSessions == 1)
            try await expectRefusal(.failedPrecondition, reason: "ERASURES_UNCONFIRMED") {
                try await retention.confirmAgreement(version: 2)
            }
            for version: UInt32 in [0, 1, 3, .max] {
                let refusal = try await status { try await retention.confirmAgreement(version: version, erasing: 1) }
                #expect(refusal?.code == .failedPrecondition)
                #expect(refusal?.reason == "AGREEMENT_SUPERSEDED")
            }
            #expect(try await retention.agreement().confirmationPending)
            #expect(try await retention.key(of: "ten").retentionDays == 30)

            let confirmed = try await retention.confirmAgreement(version: 2, erasing: 1)
            #expect(!confirmed.confirmationPending && confirmed.confirmTime?.date == Self.start)
            try await eventually("the session is erased") { try await retention.isCertified("ten") }
            let statement = try ErasureStatement(reading: try await retention.certificate(of: "ten").statement)
            #expect(statement.agreementVersion == 2 && statement.retentionDays == 7)
            let moved = Self.start.addingTimeInterval(2 * Self.day)
            try await eventually("chat hears of the others") { chat.deadline(of: "five")?.deleteTime?.date == moved }
            #expect(try await retention.confirmAgreement(version: 2, erasing: 1) == confirmed)
        }
    }

    @Test("a higher cap lengthens nothing, whatever was confirmed before it")
    func higherCap() async throws {
        try await withSessions { retention, _, _ in
            try await retention.record(cap: 7)
            let raised = try await retention.record(cap: 31)
            #expect(raised.version == 3 && !raised.confirmationPending)
            #expect(try await retention.policy().retentionDays == 7)
            #expect(try await retention.key(of: "ten").retentionDays == 30)
            #expect(try await retention.open("new").retentionDays == 7)
            let preview = try await retention.previewAgreement()
            #expect(preview.erasedSessions + preview.movedSessions + preview.unendedSessions == 0)
            try await retention.confirmAgreement(version: 3)
            #expect(try await retention.key(of: "ten").retentionDays == 30)
            #expect(try await retention.key(of: "new").retentionDays == 7)
        }
    }

    @Test("what waits for a confirmation, and what was confirmed, survives a restart")
    func restart() async throws {
        try await withFolder { folder in
            let clock = ManualWallClock(Self.start)
            try await withRetention(in: folder, clock: clock) { retention in
                try await retention.record(cap: 30)
                try await retention.open("session-1")
                try await retention.end("session-1")
                try await retention.record(cap: 7)
            }
            try await withRetention(in: folder, clock: clock) { retention in
                #expect(try await retention.agreement().confirmationPending)
                #expect(try await retention.deadlines(of: ["session-1"]).first?.retentionDays == 30)
                try await retention.confirmAgreement(version: 2)
            }
            // Chat was away all the time; it hears of it when both are there.
            let chat = ChatPeer()
            chat.add("session-1", state: .ended)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, clock: clock) { retention in
                    let agreement = try await retention.agreement()
                    #expect(!agreement.confirmationPending && agreement.confirmTime?.date == Self.start)
                    #expect(try await retention.deadlines(of: ["session-1"]).first?.retentionDays == 7)
                    let moved = Self.start.addingTimeInterval(7 * Self.day)
                    try await eventually("chat hears of it") {
                        chat.deadline(of: "session-1")?.deleteTime?.date == moved
                    }
                }
            }
        }
    }

    @Test("sessions that chat fails at hold up no others, and are told of again until chat has heard")
    func failingSessions() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            let names = (0..<30).map { "session-\($0 + 100)" }
            chat.state.withLock { $0.failing = Set(names.prefix(8)) }
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 30)
                    for name in names {
                        try await retention.open(name)
                        chat.add(name, state: .open)
                    }
                    try await retention.setPolicy(3)
                    try await eventually("the others are told") {
                        names.dropFirst(8).allSatisfy { chat.deadline(of: $0)?.retentionDays == 3 }
                    }
                    chat.state.withLock { $0.failing = [] }
                    let failed = chat.state.withLock { $0.deadlines[names[0]]?.count ?? 0 }
                    try await eventually("the rest are told again") {
                        chat.state.withLock { ($0.deadlines[names[0]]?.count ?? 0) > failed }
                    }
                }
            }
        }
    }

    @Test(
        "another organisation's sessions neither count nor move, and its retention time is nobody else's to see or set")
    func otherOrganisation() async throws {
        try await withSessions { retention, _, _ in
            try await retention.record(organisation: "org-south", cap: 30)
            try await retention.open("south", organisation: "org-south")
            try await retention.end("south", at: Self.start.addingTimeInterval(-10 * Self.day))
            let south = RunningRetention.asAdministrator(of: "org-south")
            #expect(try await retention.previewPolicy(7).erasedSessions == 1)
            #expect(
                try await retention.previewPolicy(7, organisation: "org-south", options: south).sessions
                    .map(\.sessionID) == ["south"])
            let refusals = [
                try await status { try await retention.previewPolicy(7, options: south) },
                try await status { try await retention.setPolicy(7, erasing: 1, options: south) },
                try await status { try await retention.previewAgreement(options: south) },
                try await status { try await retention.confirmAgreement(version: 1, options: south) },
            ]
            for refusal in refusals { #expect(refusal?.code == .notFound) }
            try await retention.setPolicy(7, erasing: 1)
            #expect(try await retention.key(of: "south").retentionDays == 30)
            #expect(try await retention.policy().version == 2)
            #expect(try await retention.policy(of: "org-south", options: south).version == 1)
        }
    }

    @Test("the operator neither sets the retention time nor confirms an agreement, nor does anybody without a token")
    func controllersAlone() async throws {
        try await withSessions { retention, _, _ in
            try await retention.record(cap: 7)
            for (options, code) in [
                (RunningRetention.asOperator, RPCError.Code.permissionDenied),
                (RunningRetention.asChat, .permissionDenied), (RunningRetention.asAnyone, .unauthenticated),
            ] {
                let refusals = [
                    try await status { try await retention.setPolicy(3, erasing: 2, options: options) },
                    try await status { try await retention.previewPolicy(3, options: options) },
                    try await status { try await retention.previewAgreement(options: options) },
                    try await status { try await retention.confirmAgreement(version: 2, erasing: 1, options: options) },
                ]
                for refusal in refusals { #expect(refusal?.code == code) }
            }
            #expect(try await retention.key(of: "ten").retentionDays == 30)
        }
    }

    @Test("more than 200 sessions, and ids that are none, are refused when deadlines are asked for")
    func hostileDeadlines() async throws {
        try await withSessions { retention, _, _ in
            let most = (0..<200).map { "session-\($0)" }
            #expect(try await retention.deadlines(of: most).isEmpty)
            for ids in [most + ["one-more"], [""], ["a b"], ["Å"], ["five", "../five"]] {
                let refusal = try await status { try await retention.deadlines(of: ids) }
                #expect(refusal?.code == .invalidArgument)
                #expect(refusal?.fields.map(\.field) == ["session_ids"])
            }
            for options in [RunningRetention.asOperator, RunningRetention.asAdministrator(), RunningRetention.asAnyone]
            {
                let refusal = try await status {
                    try await retention.client.getSessionDeadlines(.init(sessionIDs: ["five"]), options: options)
                }
                #expect(refusal?.code == .permissionDenied)
            }
        }
    }
}
