/// The value of `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
enum Timeout {
    /// Nil when it is not well formed.
    static func parse(_ text: UnsafeRawBufferPointer) -> Duration? {
        guard (2...9).contains(text.count), let unit = text.last else { return nil }
        var value: Int64 = 0
        for byte in text.dropLast() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        switch unit {
        case UInt8(ascii: "H"): return .seconds(value * 3600)
        case UInt8(ascii: "M"): return .seconds(value * 60)
        case UInt8(ascii: "S"): return .seconds(value)
        case UInt8(ascii: "m"): return .milliseconds(value)
        case UInt8(ascii: "u"): return .microseconds(value)
        case UInt8(ascii: "n"): return .nanoseconds(value)
        default: return nil
        }
    }

    /// The duration in the finest unit that takes no more than eight digits; never less than asked for, by less than
    /// one unit more.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = max(duration, .zero).components
        let limit: Int64 = 99_999_999
        if seconds < limit / 1_000_000 {
            return "\(seconds * 1_000_000 + (attoseconds + 999_999_999_999) / 1_000_000_000_000)u"
        }
        if seconds < limit / 1000 {
            return "\(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)m"
        }
        let whole = seconds + (attoseconds > 0 ? 1 : 0)
        if whole <= limit { return "\(whole)S" }
        return "\(min(whole / 60 + 1, limit))M"
    }
}
