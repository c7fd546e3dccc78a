import Foundation
import RetentionCore
import Testing

@Suite("Agreements and policies")
struct AgreementTests {
    private func agreement(cap: Int, version: Int64 = 1) throws -> Agreement {
        Agreement(
            organisationID: "org-north", kind: .standard, reference: "DPA-1",
            signedDate: try #require(CalendarDate("2026-01-15")), capDays: cap, version: version)
    }

    @Test("until one is set, the policy is the agreement's cap")
    func initial() throws {
        let policy = Policy.initial(for: try agreement(cap: 14))
        #expect(policy.retentionDays == 14)
        #expect(policy.version == 1)
    }

    @Test("a policy of 0 to the cap is taken, any other is refused naming the field and the cap", arguments: 1...31)
    func bounds(cap: Int) throws {
        let agreement = try agreement(cap: cap)
        let policy = Policy.initial(for: agreement)
        for days in 0...cap {
            let next = try policy.setting(retentionDays: days, under: agreement)
            #expect(next.retentionDays == days)
            #expect(next.version == (days == cap ? 1 : 2))
        }
        for days in [-1, cap + 1, Int.max] {
            #expect(
                throws: RetentionError.invalidField("retention_days", "must be 0 to \(cap), the cap of the agreement")
            ) {
                try policy.setting(retentionDays: days, under: agreement)
            }
        }
    }

    @Test("a new agreement's lower cap lowers the policy, a higher one does not raise it", arguments: 1...31)
    func adopting(cap: Int) throws {
        let policy = Policy.initial(for: try agreement(cap: 10))
        let adopted = policy.adopting(try agreement(cap: cap, version: 2))
        #expect(adopted.retentionDays == min(10, cap))
        #expect(adopted.version == (cap < 10 ? 2 : 1))
        #expect(adopted.agreementVersion == (cap < 10 ? 2 : 1))
    }

    @Test(
        "a date is a day that exists, as YYYY-MM-DD",
        arguments: [
            "", "2026-1-1", "2026-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "20260101", "2026-01-01T",
            "２026-01-1",
            "2026/01/01", "+026-01-01", "0000-01-01", "2026-01-011",
        ])
    func notDates(text: String) {
        #expect(CalendarDate(text) == nil)
    }

    @Test("a signing date may be today anywhere on Earth, and no later")
    func futureDates() throws {
        let now = try Sample.date("2026-02-28T10:00:00.000Z")
        #expect(try #require(CalendarDate("2026-02-28")).isFuture(at: now) == false)
        #expect(try #require(CalendarDate("2026-03-01")).isFuture(at: now) == false)
        #expect(try #require(CalendarDate("2026-03-02")).isFuture(at: now))
        #expect(try #require(CalendarDate("2024-02-29")).isFuture(at: now) == false)
    }
}
