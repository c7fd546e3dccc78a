import Foundation
import Privacy
import Testing

/// A moment in UTC and its text, computed without Foundation's calendar so that the tests have a second opinion.
private struct Moment: CustomStringConvertible {
    var year: Int
    var month: Int
    var day: Int
    var second = 0.0

    var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    var daysInMonth: Int {
        switch month {
        case 2: isLeapYear ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days before the year by counting leap years, then days before the month by adding months up.
    var date: Date {
        let before = year - 1
        var days = before * 365 + before / 4 - before / 100 + before / 400
        for earlier in 1..<month { days += Moment(year: year, month: earlier, day: 1).daysInMonth }
        let daysBefore1970 = 719_162
        return Date(timeIntervalSince1970: Double(days + day - 1 - daysBefore1970) * 86_400 + second)
    }

    var oneMonthLater: Moment {
        var later =
            month == 12
            ? Moment(year: year + 1, month: 1, day: day, second: second)
            : Moment(year: year, month: month + 1, day: day, second: second)
        later.day = min(day, later.daysInMonth)
        return later
    }

    var description: String { "\(year)-\(month)-\(day)" }
}

@Suite("The retention deadline")
struct RetentionRuleTests {
    @Test("it is the agreed number of days after the end while the month is longer", arguments: 0...28)
    func days(_ days: Int) {
        let ended = Moment(year: 2026, month: 3, day: 5, second: 3_600.25).date
        #expect(RetentionRule.deadline(ended: ended, days: days) == ended.addingTimeInterval(Double(days) * 86_400))
    }

    @Test(
        "a month's end leads to the next month's end where that is shorter",
        arguments: [
            (Moment(year: 2026, month: 1, day: 31), Moment(year: 2026, month: 2, day: 28)),
            (Moment(year: 2026, month: 1, day: 29), Moment(year: 2026, month: 2, day: 28)),
            (Moment(year: 2026, month: 1, day: 28), Moment(year: 2026, month: 2, day: 28)),
            (Moment(year: 2028, month: 1, day: 31), Moment(year: 2028, month: 2, day: 29)),
            (Moment(year: 2028, month: 2, day: 29), Moment(year: 2028, month: 3, day: 29)),
            (Moment(year: 2100, month: 1, day: 30), Moment(year: 2100, month: 2, day: 28)),
            (Moment(year: 2026, month: 3, day: 31), Moment(year: 2026, month: 4, day: 30)),
            (Moment(year: 2026, month: 12, day: 31), Moment(year: 2027, month: 1, day: 31)),
        ])
    private func monthEnds(_ ended: Moment, _ expected: Moment) {
        #expect(RetentionRule.deadline(ended: ended.date, days: 31) == expected.date)
    }

    @Test("it is the earlier of days and month, on every day from 2024 to 2032 and at any time of day")
    func everyDay() {
        var checked = 0
        for year in 2024...2032 {
            for month in 1...12 {
                for day in 1...Moment(year: year, month: month, day: 1).daysInMonth {
                    // A different time of day for each date, the last second among them.
                    let second = (day == 31 ? 86_399.999 : Double((year * 7919 + month * 613 + day * 3571) % 86_400))
                    let ended = Moment(year: year, month: month, day: day, second: second)
                    for days in [0, 1, 27, 28, 29, 30, 31] {
                        let expected = min(
                            ended.date.addingTimeInterval(Double(days) * 86_400), ended.oneMonthLater.date)
                        let deadline = RetentionRule.deadline(ended: ended.date, days: days)
                        #expect(abs(deadline.timeIntervalSince(expected)) < 0.000_01, "\(ended), \(days) days")
                        checked += 1
                    }
                }
            }
        }
        #expect(checked == 3288 * 7)
    }

    @Test("it is never later than 31 days, never before the end, and never later for fewer days")
    func bounds() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let ended = Date(timeIntervalSince1970: .random(in: 0...8_000_000_000, using: &generator))
            let deadlines = (-3...40).map { RetentionRule.deadline(ended: ended, days: $0) }
            #expect(deadlines.allSatisfy { $0 >= ended && $0 <= ended.addingTimeInterval(31 * 86_400) })
            #expect(zip(deadlines, deadlines.dropFirst()).allSatisfy { $0 <= $1 })
        }
    }

    @Test("days below 0 count as 0 and days above 31 as 31", arguments: [Int.min, -1, 32, 365, Int.max])
    func clamping(_ days: Int) {
        let ended = Moment(year: 2026, month: 7, day: 1).date
        let clamped = days < 0 ? 0 : 31
        #expect(
            RetentionRule.deadline(ended: ended, days: days) == RetentionRule.deadline(ended: ended, days: clamped))
    }

    @Test("daylight saving time plays no part: a day is 24 hours and a month keeps the time of day in UTC")
    func daylightSaving() {
        // Clocks in Sweden change on 29 March and on 25 October 2026.
        for (month, day) in [(3, 28), (3, 29), (10, 24), (10, 25)] {
            let ended = Moment(year: 2026, month: month, day: day, second: 5_400)
            #expect(RetentionRule.deadline(ended: ended.date, days: 1) == ended.date.addingTimeInterval(86_400))
            #expect(RetentionRule.deadline(ended: ended.date, days: 31) == ended.oneMonthLater.date)
        }
    }
}
