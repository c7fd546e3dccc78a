import Foundation
import Privacy
import RetentionCore
import Testing

@Suite("What a shorter retention time does to the sessions there are")
struct ShorteningTests {
    private static let day: TimeInterval = 86_400

    private func session(_ id: String = "session-1", days: Int, ended: Date? = nil) throws -> RetainedSession {
        var session = RetainedSession(
            id: id, organisationID: "org-north", createTime: try Sample.date("2026-01-01T00:00:00.000Z"),
            agreementVersion: 1, policyVersion: 1, retentionDays: days)
        if let ended { session.end(at: ended, now: ended) }
        return session
    }

    private func policy(_ days: Int) -> RetentionLimit {
        .policy(Policy(organisationID: "org-north", retentionDays: days, version: 2, agreementVersion: 3))
    }

    private func cap(_ days: Int, version: Int64 = 4) throws -> RetentionLimit {
        .cap(
            Agreement(
                organisationID: "org-north", kind: .standard, reference: "DPA-1",
                signedDate: try #require(CalendarDate("2026-01-15")), capDays: days, version: version))
    }

    @Test(
        "a date moves only where the days, and not the calendar month, decide it",
        arguments: [
            ("2026-01-31T10:00:00.000Z", 31, 30, nil), ("2026-01-31T10:00:00.000Z", 31, 28, nil),
            ("2026-01-31T10:00:00.000Z", 31, 27, "2026-02-27T10:00:00.000Z"),
            ("2028-01-31T10:00:00.000Z", 31, 29, nil),
            ("2028-01-31T10:00:00.000Z", 31, 28, "2028-02-28T10:00:00.000Z"),
            ("2026-02-28T10:00:00.000Z", 31, 28, nil),
            ("2026-02-28T10:00:00.000Z", 31, 27, "2026-03-27T10:00:00.000Z"),
            ("2028-02-29T10:00:00.000Z", 31, 29, nil),
            ("2028-02-29T10:00:00.000Z", 31, 28, "2028-03-28T10:00:00.000Z"),
            ("2026-03-31T23:59:59.999Z", 31, 30, nil),
            ("2026-03-31T23:59:59.999Z", 31, 29, "2026-04-29T23:59:59.999Z"),
            ("2026-12-31T10:00:00.000Z", 31, 30, "2027-01-30T10:00:00.000Z"),
            ("2026-06-15T10:00:00.000Z", 7, 7, nil), ("2026-06-15T10:00:00.000Z", 7, 8, nil),
            ("2026-06-15T10:00:00.000Z", 7, 1, "2026-06-16T10:00:00.000Z"),
        ])
    func monthEnds(ended: String, before: Int, after: Int, moved: String?) throws {
        let end = try Sample.date(ended)
        let effect = try session(days: before, ended: end).effect(ofDays: after, at: end)
        #expect(effect == (try moved.map { .moved(to: try Sample.date($0)) } ?? .none))
    }

    /// Ends of months of every length, in common and leap years.
    private static let ends = [
        "2026-01-31T10:00:00.000Z", "2026-02-28T00:00:00.000Z", "2028-01-31T23:59:59.999Z",
        "2028-02-29T12:00:00.000Z", "2026-04-30T06:30:00.001Z", "2026-12-31T23:00:00.000Z",
    ]

    /// Whether what is told of a shortening is what then happens.
    private func isForetold(_ session: RetainedSession, _ limit: RetentionLimit, at now: Date) -> Bool {
        guard let end = session.endTime, let deadline = session.deleteTime else { return false }
        var shortened = session
        let isChanged = shortened.clamp(to: limit)
        let days = min(session.retentionDays, limit.days)
        guard let earlier = shortened.deleteTime, isChanged == (limit.days < session.retentionDays),
            earlier == min(deadline, RetentionRule.deadline(ended: end, days: days))
        else { return false }
        switch session.effect(ofDays: limit.days, at: now) {
        case .none: return earlier == deadline || now >= deadline
        case .unended: return false
        case .moved(let time): return time == earlier && earlier < deadline && shortened.isVisible(at: now)
        case .erased(let time):
            return time == earlier && earlier < deadline && session.isVisible(at: now) && shortened.isOverdue(at: now)
        }
    }

    @Test(
        "every change of days at every age: what is told is what then happens, by a policy and by a cap",
        arguments: ends)
    func foretold(ended: String) async throws {
        let end = try Sample.date(ended)
        var wrong: [String] = []
        for before in 0...31 {
            let session = try session(days: before, ended: end)
            for after in 0...31 {
                let limit = after > 0 && before.isMultiple(of: 2) ? try cap(after) : policy(after)
                for age in [Double(after), Double(after) - 1e-8] where age >= 0 {
                    let now = end.addingTimeInterval(age * Self.day)
                    if !isForetold(session, limit, at: now) { wrong.append("\(before) → \(after) days at \(age)") }
                }
            }
            // Others share this thread.
            await Task.yield()
        }
        #expect(wrong == [])
    }

    @Test("a session that has not ended has no date to move, and is shortened all the same")
    func unended() throws {
        let end = try Sample.date("2026-01-31T10:00:00.000Z")
        for before in 0...31 {
            for after in 0...31 {
                var session = try session(days: before)
                #expect(session.effect(ofDays: after, at: session.createTime) == (after < before ? .unended : .none))
                _ = session.clamp(to: policy(after))
                session.end(at: end, now: end)
                #expect(session.deleteTime == RetentionRule.deadline(ended: end, days: min(before, after)))
            }
        }
    }

    @Test(
        "caps that go down and up again: what was promised is never lengthened",
        arguments: [(10, 31), (31, 10), (1, 2)])
    func caps(first: Int, second: Int) throws {
        let end = try Sample.date("2026-06-01T10:00:00.000Z")
        var session = try session(days: 30, ended: end)
        _ = session.clamp(to: try cap(first, version: 2))
        _ = session.clamp(to: try cap(second, version: 3))
        let days = min(30, first, second)
        #expect(session.retentionDays == days)
        #expect(session.deleteTime == RetentionRule.deadline(ended: end, days: days))
    }

    @Test("which version shortened a session is kept: a cap's the agreement's, a policy's both")
    func versions() throws {
        var byCap = try session(days: 30)
        let isChanged = byCap.clamp(to: try cap(10))
        #expect(isChanged && byCap.agreementVersion == 4 && byCap.policyVersion == 1)
        var byPolicy = try session(days: 30)
        _ = byPolicy.clamp(to: policy(10))
        #expect(byPolicy.agreementVersion == 3 && byPolicy.policyVersion == 2)
    }

    @Test("what is erased in any case is not counted: begun, or past its time already")
    func erasedAnyway() throws {
        let end = try Sample.date("2026-06-01T10:00:00.000Z")
        var session = try session(days: 7, ended: end)
        let deadline = try #require(session.deleteTime)
        #expect(session.effect(ofDays: 1, at: deadline) == .none)
        #expect(session.effect(ofDays: 1, at: deadline.addingTimeInterval(-0.001)) != .none)
        session.erasure.request(.manual)
        #expect(session.effect(ofDays: 1, at: end) == .none)
    }

    @Test("a preview counts every session, and tells of a hundred")
    func preview() throws {
        let now = try Sample.date("2026-06-15T00:00:00.000Z")
        var preview = RetentionPreview(retentionDays: 7, at: now)
        for number in 0..<300 {
            let ended: Date? = number < 250 ? now.addingTimeInterval(-Double(number % 10) * Self.day) : nil
            preview.add(try session("session-\(number)", days: 30, ended: ended))
        }
        preview.add(try session("kept", days: 7, ended: now))
        #expect(preview.erased == 75)
        #expect(preview.moved == 175)
        #expect(preview.unended == 50)
        #expect(preview.sessions.count == RetentionPreview.sessionsShown)
        #expect(preview.sessions.allSatisfy { $0.newDeleteTime < $0.deleteTime })
        #expect(preview.sessions.first?.endTime == now)
    }

    @Test("only exactly the erasures that were agreed to are done, and 0 days only if they are meant")
    func confirmation() throws {
        let now = try Sample.date("2026-06-15T00:00:00.000Z")
        for days in [0, 7] {
            var preview = RetentionPreview(retentionDays: days, at: now)
            for number in 0..<3 {
                preview.add(try session("session-\(number)", days: 30, ended: now.addingTimeInterval(-8 * Self.day)))
            }
            for expected in 0...5 {
                for zeroDays in [false, true] {
                    let confirmation = ShorteningConfirmation(erasures: expected, zeroDays: zeroDays)
                    var problem: RetentionError?
                    do throws(RetentionError) { try confirmation.check(preview) } catch { problem = error }
                    if days == 0, !zeroDays {
                        #expect(problem == .zeroDaysUnconfirmed)
                    } else if expected != 3 {
                        #expect(problem == .erasuresUnconfirmed(expected: expected, actual: 3))
                    } else {
                        #expect(problem == nil)
                    }
                }
            }
        }
    }

    @Test("the same number of other sessions is not what was agreed to, nor are the same ones for other days")
    func version() throws {
        let now = try Sample.date("2026-06-15T00:00:00.000Z")
        func preview(of ids: [String], days: Int = 7) throws -> RetentionPreview {
            var preview = RetentionPreview(retentionDays: days, at: now)
            for id in ids { preview.add(try session(id, days: 30, ended: now.addingTimeInterval(-8 * Self.day))) }
            // One that moves, and is not erased, is no part of it.
            preview.add(try session("moved-\(UInt64.random(in: 0 ... .max))", days: 30, ended: now))
            return preview
        }
        let shown = try preview(of: ["session-1", "session-2"])
        #expect(try preview(of: ["session-1", "session-2"]).version == shown.version)
        let confirmation = ShorteningConfirmation(erasures: 2, zeroDays: false, previewVersion: shown.version)
        try confirmation.check(try preview(of: ["session-1", "session-2"]))
        for other in [
            try preview(of: ["session-1", "session-3"]), try preview(of: ["session-1", "session-2"], days: 6),
            try preview(of: ["session-1session", "2"]),
        ] {
            #expect(throws: RetentionError.previewOutdated) { try confirmation.check(other) }
            try ShorteningConfirmation(erasures: 2, zeroDays: false).check(other)
        }
        #expect(throws: RetentionError.erasuresUnconfirmed(expected: 2, actual: 1)) {
            try confirmation.check(try preview(of: ["session-1"]))
        }
    }
}
