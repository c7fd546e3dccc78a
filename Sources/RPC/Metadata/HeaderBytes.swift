internal import Glibc

/// Looking at names and values of headers where they lie.
extension UnsafeRawBufferPointer {
    @inline(__always)
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count > 0, let own = baseAddress, let theirs = other.baseAddress else { return count == 0 }
        return memcmp(own, theirs, count) == 0
    }

    /// Inlined, so that names of another length, most of those a header is compared with, cost two instructions.
    @inline(__always)
    static func == (bytes: UnsafeRawBufferPointer, text: StaticString) -> Bool {
        bytes.hasSameBytes(as: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        return UnsafeRawBufferPointer(rebasing: self[..<text.utf8CodeUnitCount]) == text
    }

    /// Whether it is `application/grpc`, alone or with a suffix (`+proto`) or a parameter.
    var isGRPCContentType: Bool {
        guard hasPrefix("application/grpc") else { return false }
        return count == 16 || self[16] == UInt8(ascii: "+") || self[16] == UInt8(ascii: ";")
    }

    /// Whether a list separated by commas names gzip.
    var listsGzip: Bool {
        // By far the most callers name it last.
        if count >= 4, UnsafeRawBufferPointer(rebasing: self[(count - 4)...]) == "gzip" {
            if count == 4 || self[count - 5] == UInt8(ascii: ",") || self[count - 5] == UInt8(ascii: " ") {
                return true
            }
        }
        return split(separator: UInt8(ascii: ",")).contains { item in
            let trimmed = item.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: " ") }
            return UnsafeRawBufferPointer(rebasing: trimmed) == "gzip"
        }
    }

    /// The decimal number it spells; nil when it isn't one of at most nine digits.
    var decimal: Int? {
        guard (1...9).contains(count) else { return nil }
        var value = 0
        for byte in self {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
