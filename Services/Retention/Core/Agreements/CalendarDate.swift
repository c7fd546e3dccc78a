package import Foundation

/// A day of the Gregorian calendar, as people write it: YYYY-MM-DD.
package struct CalendarDate: Sendable, Equatable {
    package let text: String

    /// Nil for anything that is not a day that exists, written with four, two and two digits.
    package init?(_ text: String) {
        guard text.utf8.count == 10, LedgerTime.date(text: text + "T00:00:00.000Z") != nil else { return nil }
        self.text = text
    }

    /// Whether the day has not begun anywhere on Earth: the easternmost time zone is 14 hours ahead of UTC.
    package func isFuture(at now: Date) -> Bool {
        guard let begin = LedgerTime.date(text: text + "T00:00:00.000Z") else { return true }
        return begin > now.addingTimeInterval(14 * 3600)
    }
}
