public import Foundation

/// When a session's log must be gone.
public enum RetentionRule {
    /// The longest retention that can be agreed, in days. The calendar month below is the harder limit.
    public static let maximumDays = 31

    /// min(`ended` + `days`, `ended` + one calendar month), in UTC and the Gregorian calendar.
    ///
    /// One month after the 31st of January is the last day of February, at the same time of day. Days are 24 hours:
    /// UTC has no daylight saving time.
    /// - Parameter days: Clamped to 0…31.
    public static func deadline(ended: Date, days: Int) -> Date {
        let clampedDays = min(max(days, 0), maximumDays)
        let agreed = ended.addingTimeInterval(TimeInterval(clampedDays) * secondsPerDay)
        return min(agreed, oneMonth(after: ended))
    }

    private static let secondsPerDay: TimeInterval = 86_400

    private static func oneMonth(after date: Date) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        // No month is shorter than 28 days, so the fallback is never too late.
        return calendar.date(byAdding: .month, value: 1, to: date) ?? date.addingTimeInterval(28 * secondsPerDay)
    }
}
