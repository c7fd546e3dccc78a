/// The encoding of `grpc-message`: UTF-8, with a percent sign and two digits for all but printable ASCII
/// (gRPC over HTTP/2, "Status-Message"), and for a space that a header's value can't begin or end with (RFC 9113, 8.2.1).
enum PercentEncoding {
    static func encode(_ text: String) -> String {
        let space = UInt8(ascii: " ")
        if text.utf8.allSatisfy(isPlain), text.utf8.first != space, text.utf8.last != space { return text }
        let last = text.utf8.count - 1
        var encoded: [UInt8] = []
        for (index, byte) in text.utf8.enumerated() {
            if isPlain(byte), byte != space || index > 0 && index < last {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 0x0F)])
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// As much of the text as fits into so many bytes, cut at a character.
    static func encode(_ text: String, limit: Int) -> String {
        // A byte becomes three at most.
        if text.utf8.count <= limit / 3 { return encode(text) }
        // A space becomes three bytes only at the ends.
        var left = limit - 4
        let kept = text.prefix { character in
            left -= character.utf8.reduce(0) { $0 + (isPlain($1) ? 1 : 3) }
            return left >= 0
        }
        return encode(String(kept))
    }

    /// A percent sign without two digits stands for itself, and bytes that aren't UTF-8 are replaced: a message that
    /// was encoded wrongly is still worth showing.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = value(of: bytes[index + 1]),
                let low = value(of: bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%")
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
