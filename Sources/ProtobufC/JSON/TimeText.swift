internal import CProtobufC

/// The texts that stand for `google.protobuf.Timestamp` (RFC 3339) and `google.protobuf.Duration` ("1.5s") in JSON.
enum TimeText {
    /// The two fields that both messages have.
    struct Parts: Equatable {
        var seconds: Int64
        var nanoseconds: Int32
    }

    /// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
    private static let timestampSeconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
    private static let durationSeconds: ClosedRange<Int64> = -315_576_000_000...315_576_000_000
    private static let secondsPerDay: Int64 = 86_400

    /// `nil` outside the years 1 to 9999.
    static func timestamp(_ parts: Parts) -> String? {
        guard timestampSeconds.contains(parts.seconds), (0..<1_000_000_000).contains(parts.nanoseconds) else {
            return nil
        }
        let days = parts.seconds.flooredDivision(by: secondsPerDay)
        let second = parts.seconds - days * secondsPerDay
        let (year, month, day) = CivilDate.date(daysSinceEpoch: days)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(date)T\(time)\(fraction(parts.nanoseconds))Z"
    }

    /// `nil` when the seconds are out of range, or the two parts differ in sign.
    static func duration(_ parts: Parts) -> String? {
        guard durationSeconds.contains(parts.seconds),
            (-999_999_999...999_999_999).contains(parts.nanoseconds),
            parts.seconds == 0 || parts.nanoseconds == 0 || (parts.seconds < 0) == (parts.nanoseconds < 0)
        else { return nil }
        let sign = parts.seconds < 0 || parts.nanoseconds < 0 ? "-" : ""
        return "\(sign)\(parts.seconds.magnitude)\(fraction(abs(parts.nanoseconds)))s"
    }

    static func parseTimestamp(_ text: [UInt8]) -> Parts? {
        var reader = DigitReader(text)
        guard let year = reader.number(digits: 4), reader.skip("-"), let month = reader.number(digits: 2),
            reader.skip("-"), let day = reader.number(digits: 2), reader.skip("T") || reader.skip("t"),
            let hour = reader.number(digits: 2), reader.skip(":"), let minute = reader.number(digits: 2),
            reader.skip(":"), let second = reader.number(digits: 2), let nanoseconds = reader.fraction(),
            let offset = reader.offset(), reader.isAtEnd,
            year >= 1, hour < 24, minute < 60, second < 60,
            let days = CivilDate.days(year: year, month: month, day: day)
        else { return nil }
        let seconds = days * secondsPerDay + hour * 3600 + minute * 60 + second - offset
        guard timestampSeconds.contains(seconds) else { return nil }
        return Parts(seconds: seconds, nanoseconds: nanoseconds)
    }

    static func parseDuration(_ text: [UInt8]) -> Parts? {
        var reader = DigitReader(text)
        let isNegative = reader.skip("-")
        guard let seconds = reader.number(), let nanoseconds = reader.fraction(), reader.skip("s"), reader.isAtEnd,
            durationSeconds.contains(seconds)
        else { return nil }
        return isNegative
            ? Parts(seconds: -seconds, nanoseconds: -nanoseconds) : Parts(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// Nothing, or 3, 6 or 9 digits behind a point.
    private static func fraction(_ nanoseconds: Int32) -> String {
        if nanoseconds == 0 { return "" }
        if nanoseconds % 1_000_000 == 0 { return "." + padded(Int64(nanoseconds) / 1_000_000, 3) }
        if nanoseconds % 1000 == 0 { return "." + padded(Int64(nanoseconds) / 1000, 6) }
        return "." + padded(Int64(nanoseconds), 9)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension TimeText.Parts {
    /// Of a C struct with `seconds` (1) and `nanos` (2).
    init?(_ message: UnsafeMutableRawPointer, _ descriptor: ProtobufDescriptor) {
        guard let (seconds, nanos) = Self.members(of: message, descriptor) else { return nil }
        self.init(seconds: seconds.load(as: Int64.self), nanoseconds: nanos.load(as: Int32.self))
    }

    func store(into message: UnsafeMutableRawPointer, _ descriptor: ProtobufDescriptor) {
        guard let (seconds, nanos) = Self.members(of: message, descriptor) else { return }
        seconds.storeBytes(of: self.seconds, as: Int64.self)
        nanos.storeBytes(of: nanoseconds, as: Int32.self)
    }

    private static func members(
        of message: UnsafeMutableRawPointer, _ descriptor: ProtobufDescriptor
    ) -> (seconds: UnsafeMutableRawPointer, nanos: UnsafeMutableRawPointer)? {
        let fields = descriptor.message.pointee.allFields
        guard fields.count == 2 else { return nil }
        return (message + Int(fields[0].offset), message + Int(fields[1].offset))
    }
}
