/// Identifiers of sessions, questions, administrators and the like: opaque, unguessable, and safe in URLs and file names.
public enum Identifier {
    /// Longest accepted identifier, in characters.
    public static let maximumLength = 64

    /// Characters that 128 bits take at five bits each.
    static let randomLength = 26

    /// `prefix` and 128 random bits in lower-case Crockford base32 (digits and letters without i, l, o and u).
    /// - Parameter prefix: At most 38 characters of [a-z0-9-], such as a store's tag.
    public static func random(prefix: String = "") -> String {
        var generator = PooledRandom()
        return random(prefix: prefix, using: &generator)
    }

    static func random(prefix: String, using generator: inout some RandomNumberGenerator) -> String {
        assert(prefix.isEmpty || isValid(prefix), "an identifier's prefix is of the identifier's alphabet")
        let bits = UInt128.random(in: .min ... .max, using: &generator)
        return prefix + encode(bits)
    }

    /// Whether the text is 1 to 64 characters of [a-z0-9-].
    public static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...maximumLength).contains(bytes.count) else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
    }

    /// Most significant digit first; the first of the 26 digits carries three bits only.
    static func encode(_ bits: UInt128) -> String {
        String(unsafeUninitializedCapacity: randomLength) { buffer in
            var rest = bits
            for index in (0..<randomLength).reversed() {
                buffer[index] = alphabet[Int(truncatingIfNeeded: rest & 31)]
                rest >>= 5
            }
            return randomLength
        }
    }

    private static let alphabet = [UInt8]("0123456789abcdefghjkmnpqrstvwxyz".utf8)
}
