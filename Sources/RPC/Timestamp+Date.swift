public import Foundation

extension GoogleProtobuf.Timestamp {
    private static let nanosecondsPerSecond = 1_000_000_000.0
    private static let microsecondsPerSecond = 1_000_000.0

    /// The moment of a date, to the microsecond: a `Double` holds no more of a date of our time, and what is beyond is
    /// noise.
    public init(_ date: Date) {
        let sinceEpoch = date.timeIntervalSince1970
        let wholeSeconds = sinceEpoch.rounded(.down)
        guard sinceEpoch.isFinite else {
            self.init(seconds: Int64(clamping: wholeSeconds), nanos: 0)
            return
        }
        let fraction = ((sinceEpoch - wholeSeconds) * Self.microsecondsPerSecond).rounded()
        // Rounding may reach the next second; nanoseconds always count forward from the second.
        let carries = fraction >= Self.microsecondsPerSecond
        self.init(
            seconds: Int64(clamping: wholeSeconds) + (carries ? 1 : 0),
            nanos: carries ? 0 : Int32(fraction) * 1000)
    }

    public var date: Date {
        Date(timeIntervalSince1970: Double(seconds) + Double(nanos) / Self.nanosecondsPerSecond)
    }
}

extension Int64 {
    /// The nearest value to a whole number; dates beyond the range of 64-bit seconds end there, and what is no
    /// number is the last.
    fileprivate init(clamping value: Double) {
        self = Int64(exactly: value) ?? (value < 0 ? .min : .max - 1)
    }
}
