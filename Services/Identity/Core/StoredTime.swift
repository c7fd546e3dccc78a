package import Foundation

/// Times are kept in whole milliseconds, and rounded to them before they are answered, so that an answer and what is
/// read later agree.
extension Date {
    /// Milliseconds since 1970-01-01T00:00:00Z, to the nearest: rounding down would lose one now and then on the way
    /// through `Date`, whose fractions are binary.
    package var millisecondsSince1970: Int64 {
        Int64((timeIntervalSince1970 * 1000).rounded())
    }

    package init(millisecondsSince1970 milliseconds: Int64) {
        self.init(timeIntervalSince1970: TimeInterval(milliseconds) / 1000)
    }

    package var wholeMilliseconds: Date {
        Date(millisecondsSince1970: millisecondsSince1970)
    }
}
