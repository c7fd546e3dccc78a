/// RFC 4648: what proto3-JSON and gRPC's `-bin` metadata write, and the more that both have to read.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// With the standard alphabet, and padded unless told otherwise.
    package static func append(_ source: UnsafeBufferPointer<UInt8>, to target: inout [UInt8], padded: Bool = true) {
        var index = 0
        while index < source.count {
            let count = min(3, source.count - index)
            var group: UInt32 = 0
            for position in 0..<3 {
                group = group << 8 | (position < count ? UInt32(source[index + position]) : 0)
            }
            for position in 0..<4 where padded || position <= count {
                let digit = Int(group >> UInt32(18 - 6 * position)) & 0x3f
                target.append(position <= count ? alphabet[digit] : UInt8(ascii: "="))
            }
            index += 3
        }
    }

    /// With the standard alphabet, without padding.
    package static func unpadded(_ source: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((source.count * 4 + 2) / 3)
        source.withUnsafeBufferPointer { append($0, to: &text, padded: false) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Accepts the standard and the URL-safe alphabet, with padding or without; `nil` for anything else.
    package static func decode(_ text: some BidirectionalCollection<UInt8>) -> [UInt8]? {
        var digits = text[...]
        if digits.count.isMultiple(of: 4) {
            for _ in 0..<2 where digits.last == UInt8(ascii: "=") {
                digits.removeLast()
            }
        }
        guard digits.count % 4 != 1 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count * 3 / 4)
        var group: UInt32 = 0
        var bits = 0
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            group = group << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            }
        }
        // Bits left over must be zero: one text for one value.
        return group & ((1 << UInt32(bits)) - 1) == 0 ? result : nil
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
