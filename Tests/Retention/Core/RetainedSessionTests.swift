import Foundation
import Privacy
import RetentionCore
import Testing

@Suite("How long a session is kept")
struct RetainedSessionTests {
    private func session(days: Int) throws -> RetainedSession {
        RetainedSession(
            id: "session-1", organisationID: "org-north", createTime: try Sample.date("2026-01-01T00:00:00.000Z"),
            agreementVersion: 1, policyVersion: 1, retentionDays: days)
    }

    private func limit(days: Int, version: Int64 = 2) -> RetentionLimit {
        .policy(Policy(organisationID: "org-north", retentionDays: days, version: version, agreementVersion: 1))
    }

    @Test(
        "the time of erasure is days after the end, and never more than a calendar month",
        arguments: [
            ("2026-01-31T10:00:00.000Z", 7, "2026-02-07T10:00:00.000Z"),
            ("2026-01-31T10:00:00.000Z", 31, "2026-02-28T10:00:00.000Z"),
            ("2028-01-31T10:00:00.000Z", 31, "2028-02-29T10:00:00.000Z"),
            ("2026-02-01T00:00:00.000Z", 31, "2026-03-01T00:00:00.000Z"),
            ("2026-03-01T12:34:56.789Z", 31, "2026-04-01T12:34:56.789Z"),
            ("2026-04-30T23:59:59.999Z", 31, "2026-05-30T23:59:59.999Z"),
            ("2026-12-31T23:00:00.000Z", 31, "2027-01-31T23:00:00.000Z"),
            ("2026-03-28T12:00:00.000Z", 2, "2026-03-30T12:00:00.000Z"),
            ("2026-06-01T12:00:00.000Z", 0, "2026-06-01T12:00:00.000Z"),
        ])
    func deadlines(ended: String, days: Int, deadline: String) throws {
        var session = try session(days: days)
        let end = try Sample.date(ended)
        session.end(at: end, now: end)
        #expect(session.endTime == end)
        #expect(session.deleteTime.map(LedgerTime.text) == deadline)
    }

    @Test("a session ends once: a second end moves nothing")
    func endsOnce() throws {
        var session = try session(days: 7)
        let end = try Sample.date("2026-01-31T10:00:00.000Z")
        session.end(at: end, now: end)
        let first = session
        session.end(at: end.addingTimeInterval(86_400), now: end.addingTimeInterval(86_400))
        #expect(session == first)
    }

    @Test("an end in the future counts as ended now")
    func futureEnd() throws {
        var session = try session(days: 1)
        let now = try Sample.date("2026-01-31T10:00:00.000Z")
        session.end(at: .distantFuture, now: now)
        #expect(session.endTime == now)
        #expect(session.deleteTime == now.addingTimeInterval(86_400))
    }

    @Test("every pair of policies: the time of erasure moves earlier or not at all", arguments: 0...31)
    func clamping(before: Int) throws {
        for after in 0...31 {
            var ended = try session(days: before)
            let end = try Sample.date("2026-01-31T10:00:00.000Z")
            ended.end(at: end, now: end)
            let deadline = try #require(ended.deleteTime)
            let isChanged = ended.clamp(to: limit(days: after))
            #expect(isChanged == (after < before))
            let clamped = try #require(ended.deleteTime)
            #expect(clamped <= deadline)
            #expect(clamped == RetentionRule.deadline(ended: end, days: min(before, after)))
            #expect(ended.retentionDays == min(before, after))
            #expect(ended.policyVersion == (after < before ? 2 : 1))
        }
    }

    @Test("a policy that is lowered before the end counts from the end")
    func clampedBeforeEnd() throws {
        var session = try session(days: 30)
        let isChanged = session.clamp(to: limit(days: 3))
        #expect(isChanged)
        #expect(session.deleteTime == nil)
        let end = try Sample.date("2026-01-31T10:00:00.000Z")
        session.end(at: end, now: end)
        #expect(session.deleteTime == end.addingTimeInterval(3 * 86_400))
    }

    @Test("an erasure that has begun is not touched by a policy")
    func erasureUntouched() throws {
        for state in [ErasureState.requested(.manual), .keyDestroyed(.manual, at: .now), .certified] {
            var session = try session(days: 30)
            session.erasure = state
            let isChanged = session.clamp(to: limit(days: 0))
            #expect(!isChanged)
            #expect(session.retentionDays == 30)
        }
    }

    @Test("a session is visible up to its time of erasure, and not at it")
    func visibility() throws {
        var session = try session(days: 1)
        #expect(session.isVisible(at: .distantFuture))
        let end = try Sample.date("2026-01-31T10:00:00.000Z")
        session.end(at: end, now: end)
        let deadline = try #require(session.deleteTime)
        #expect(session.isVisible(at: deadline.addingTimeInterval(-0.001)))
        #expect(!session.isOverdue(at: deadline.addingTimeInterval(-0.001)))
        #expect(!session.isVisible(at: deadline))
        #expect(session.isOverdue(at: deadline))
        session.erasure.request(.manual)
        #expect(!session.isVisible(at: end))
        #expect(!session.isOverdue(at: .distantFuture))
    }
}
