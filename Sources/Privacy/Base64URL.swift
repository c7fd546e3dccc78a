/// Base64 with the URL-safe alphabet and no padding (RFC 4648 section 5).
package enum Base64URL {
    package static func encode(_ bytes: [UInt8]) -> String {
        let length = (bytes.count * 4 + 2) / 3
        return String(unsafeUninitializedCapacity: length) { output in
            var written = 0
            var pending: UInt32 = 0
            var pendingBits = 0
            for byte in bytes {
                pending = pending << 8 | UInt32(byte)
                pendingBits += 8
                while pendingBits >= 6 {
                    pendingBits -= 6
                    output[written] = alphabet[Int(pending >> UInt32(pendingBits) & 63)]
                    written += 1
                }
            }
            if pendingBits > 0 {
                output[written] = alphabet[Int(pending << UInt32(6 - pendingBits) & 63)]
                written += 1
            }
            return written
        }
    }

    /// Strict: no padding, no white space, and no stray bits after the last byte, so that one array of bytes has exactly
    /// one accepted text.
    /// - Returns: nil for any other text.
    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.underestimatedCount * 3 / 4)
        var pending: UInt32 = 0
        var pendingBits = 0
        for character in text {
            guard let digit = value(of: character) else { return nil }
            pending = pending << 6 | digit
            pendingBits += 6
            if pendingBits >= 8 {
                pendingBits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits)))
            }
        }
        // Six bits left over: a lone character, which carries no whole byte.
        guard pendingBits < 6, pending & (1 << UInt32(pendingBits) - 1) == 0 else { return nil }
        return bytes
    }

    private static let alphabet =
        [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
