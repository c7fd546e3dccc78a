internal import Glibc

/// The time of a log line: ISO 8601 in UTC with milliseconds, "2026-03-01T12:00:00.123Z".
enum LogTime {
    static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return text(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// - Parameter seconds: since 1970.
    static func text(seconds: Int, milliseconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
        let clock = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)]
        let day = zip(date, [4, 2, 2]).map(padded).joined(separator: "-")
        let hour = clock.map { padded($0, 2) }.joined(separator: ":")
        return "\(day)T\(hour).\(padded(milliseconds, 3))Z"
    }

    private static func padded(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
