/// Which bytes names and values of header fields may have (RFC 9110, 5.1 and 5.5; RFC 9113, 8.2.1).
extension UnsafeRawBufferPointer {
    /// Whether it is printable ASCII, which nearly every value is.
    var isPrintable: Bool {
        // Without an early end, so that it is done for many bytes at once.
        var outside: UInt8 = 0
        for byte in self { outside |= byte &- 0x20 > 0x5E ? 1 : 0 }
        return outside == 0
    }

    /// Whether it holds a byte that makes a message malformed wherever it is in a value: NUL, LF or CR.
    var breaksField: Bool { contains { $0 == 0 || $0 == 0x0A || $0 == 0x0D } }

    /// Whether it is a token, in any case: a method of HTTP's, or, in lower case, the name of a field.
    var isToken: Bool { !isEmpty && allSatisfy { ByteSet.token.contains($0) } }

    /// Whether no letter in it is a capital.
    var isLowerCase: Bool { !contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } }

    /// Whether it consists of lower-case letters, digits, `-`, `_` and `.` (gRPC over HTTP/2, "Custom-Metadata").
    var isMetadataName: Bool {
        guard !isEmpty else { return false }
        for byte in self where !ByteSet.metadataName.contains(byte) { return false }
        return true
    }

    /// Whether it begins or ends with a space or a tab.
    @inline(__always)
    var isPadded: Bool {
        guard let first, let last else { return false }
        return first.isBlank || last.isBlank
    }

    /// Without spaces and tabs around it.
    @inline(__always)
    var trimmed: UnsafeRawBufferPointer { isPadded ? withoutPadding : self }

    @inline(never)
    private var withoutPadding: UnsafeRawBufferPointer {
        let rest = drop { $0.isBlank }
        guard let last = rest.lastIndex(where: { !$0.isBlank }) else {
            return UnsafeRawBufferPointer(rebasing: self[..<0])
        }
        return UnsafeRawBufferPointer(rebasing: rest[...last])
    }

    /// What metadata keeps of a value: printable ASCII without spaces and tabs around it. Nil for another, which HTTP
    /// lets travel and gRPC doesn't define: it is left out, never an error (gRPC over HTTP/2, "Custom-Metadata").
    @inline(__always)
    var metadataValue: UnsafeRawBufferPointer? {
        let value = trimmed
        return value.isPrintable ? value : nil
    }
}

extension UInt8 {
    @inline(__always)
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
}

/// A set of ASCII characters in two words, so that looking one up touches no memory.
private struct ByteSet {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && word &>> UInt64(byte & 0x3F) & 1 != 0
    }

    /// Digits, and "-" and ".", then lower-case letters and "_".
    @inline(__always)
    static var metadataName: ByteSet { ByteSet(low: 0x03FF_6000_0000_0000, high: 0x07FF_FFFE_8000_0000) }

    /// Digits, letters and "!#$%&'*+-.^_`|~".
    @inline(__always)
    static var token: ByteSet { ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }
}
