/// The tokens of a JSON text (RFC 8259), strictly.
struct JSONScanner {
    static let malformed = ProtobufError(reason: "is not valid JSON")

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ text: UnsafeBufferPointer<UInt8>) {
        bytes = text
    }

    /// The first byte of the next token, or `nil` at the end.
    var next: UInt8? {
        mutating get {
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
                default: return bytes[position]
                }
            }
            return nil
        }
    }

    /// Whether the next token is this mark; then it is behind us.
    mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ mark: Unicode.Scalar) throws(ProtobufError) {
        guard skip(mark) else { throw Self.malformed }
    }

    /// Whether the next token is null; then it is behind us.
    mutating func skipNull() throws(ProtobufError) -> Bool {
        guard next == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    /// A string, number or boolean.
    mutating func scalar() throws(ProtobufError) -> ScalarInput {
        switch next {
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"):
            try word("true")
            return .boolean(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .boolean(false)
        case let byte? where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
            return .number(try number())
        case UInt8(ascii: "n"):
            try word("null")
            throw ProtobufError(reason: "must not be null")
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            throw ProtobufError(reason: "must be a single value")
        default: throw Self.malformed
        }
    }

    private mutating func word(_ word: String) throws(ProtobufError) {
        for byte in word.utf8 {
            guard current == byte else { throw Self.malformed }
            position += 1
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
}

// MARK: Strings

extension JSONScanner {
    /// The UTF-8 of a string, its escapes resolved.
    mutating func text() throws(ProtobufError) -> [UInt8] {
        try expect("\"")
        var result: [UInt8] = []
        while true {
            let start = position
            while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                position += 1
            }
            result.append(contentsOf: bytes[start..<position])
            if current == UInt8(ascii: "\\") {
                position += 1
                try escape(into: &result)
            } else {
                break
            }
        }
        // What ended the run is the closing mark, or a control character, or the end of the text.
        guard current == UInt8(ascii: "\"") else { throw Self.malformed }
        position += 1
        guard result.isUTF8 else { throw ProtobufError(reason: Reason.invalidUTF8) }
        return result
    }

    private mutating func escape(into result: inout [UInt8]) throws(ProtobufError) {
        guard let byte = current else { throw Self.malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0c)
        case UInt8(ascii: "n"): result.append(0x0a)
        case UInt8(ascii: "r"): result.append(0x0d)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"): result.append(contentsOf: String(Character(try escapedScalar())).utf8)
        default: throw Self.malformed
        }
    }

    /// What `\u` begins: one code unit, or a surrogate pair.
    private mutating func escapedScalar() throws(ProtobufError) -> Unicode.Scalar {
        let first = try codeUnit()
        if UTF16.isLeadSurrogate(first) {
            guard current == UInt8(ascii: "\\") else { throw Self.malformed }
            position += 1
            guard current == UInt8(ascii: "u") else { throw Self.malformed }
            position += 1
            let second = try codeUnit()
            guard UTF16.isTrailSurrogate(second),
                let scalar = Unicode.Scalar(
                    0x10000 + (UInt32(first & 0x3ff) << 10) + UInt32(second & 0x3ff))
            else { throw Self.malformed }
            return scalar
        }
        guard let scalar = Unicode.Scalar(first) else { throw Self.malformed }
        return scalar
    }

    private mutating func codeUnit() throws(ProtobufError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current else { throw Self.malformed }
            position += 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: throw Self.malformed
            }
        }
        return unit
    }
}

// MARK: Numbers

extension JSONScanner {
    /// The characters of a number: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    private mutating func number() throws(ProtobufError) -> [UInt8] {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        guard position - start <= 64 else { throw Self.malformed }
        return Array(bytes[start..<position])
    }

    private mutating func digits() throws(ProtobufError) {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        guard position > start else { throw Self.malformed }
    }
}

extension [UInt8] {
    fileprivate var isUTF8: Bool {
        do {
            _ = try UTF8Span(validating: span)
            return true
        } catch {
            return false
        }
    }
}
