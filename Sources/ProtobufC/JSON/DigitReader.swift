/// A position in a text of digits and marks.
struct DigitReader {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) {
        self.text = text
    }

    var isAtEnd: Bool { position == text.count }

    private var digit: Int64? {
        guard position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) else {
            return nil
        }
        return Int64(text[position] - UInt8(ascii: "0"))
    }

    /// Exactly so many digits.
    mutating func number(digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit else { return nil }
            value = value * 10 + digit
            position += 1
        }
        return value
    }

    /// As many digits as come: 1 to 12.
    mutating func number() -> Int64? {
        let start = position
        var value: Int64 = 0
        while let digit {
            value = value * 10 + digit
            position += 1
            guard position - start <= 12 else { return nil }
        }
        return position > start ? value : nil
    }

    mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    /// Nothing, or a point and 1 to 9 digits: nanoseconds.
    mutating func fraction() -> Int32? {
        guard skip(".") else { return 0 }
        var value: Int64 = 0
        var count = 0
        while let digit {
            value = value * 10 + digit
            position += 1
            count += 1
            guard count <= 9 else { return nil }
        }
        guard count > 0 else { return nil }
        for _ in count..<9 {
            value *= 10
        }
        return Int32(value)
    }

    /// `Z` or `+hh:mm`: seconds east of UTC.
    mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let isWest = skip("-")
        guard isWest || skip("+"), let hours = number(digits: 2), skip(":"), let minutes = number(digits: 2),
            hours < 24, minutes < 60
        else { return nil }
        return (isWest ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}
