package import Foundation

/// Times as the ledger and the database hold them: whole milliseconds, written as RFC 3339 in UTC.
package enum LedgerTime {
    /// The nearest whole millisecond, so that a time survives being written and read.
    package static func rounded(_ date: Date) -> Date {
        Self.date(milliseconds: milliseconds(date))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    package static func milliseconds(_ date: Date) -> Int64 {
        Int64((date.timeIntervalSince1970 * 1000).rounded())
    }

    package static func date(milliseconds: Int64) -> Date {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// `2026-03-31T21:59:59.250Z`: always UTC, always three decimals, so that one time has one spelling.
    package static func text(_ date: Date) -> String {
        let total = milliseconds(date)
        let fraction = ((total % 1000) + 1000) % 1000
        let whole = self.date(milliseconds: total - fraction)
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: whole)
        let day = [padded(parts.year, 4), padded(parts.month, 2), padded(parts.day, 2)].joined(separator: "-")
        let time = [padded(parts.hour, 2), padded(parts.minute, 2), padded(parts.second, 2)].joined(separator: ":")
        return "\(day)T\(time).\(padded(Int(fraction), 3))Z"
    }

    /// Reads what `text(_:)` writes, and nothing else.
    package static func date(text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(Int?(0)) { value, byte in
                guard let value, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                return value * 10 + Int(byte - UInt8(ascii: "0"))
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let fraction = number(20..<23)
        else { return nil }
        let parts = DateComponents(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard let whole = calendar.date(from: parts) else { return nil }
        let date = self.date(milliseconds: milliseconds(whole) + Int64(fraction))
        // Written back: refuses 31 February, hour 25 and other separators at once.
        return self.text(date) == text ? date : nil
    }

    static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    private static func padded(_ value: Int?, _ width: Int) -> String {
        let digits = String(value ?? 0)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
