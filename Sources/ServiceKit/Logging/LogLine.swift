/// Writes one JSON object on one line, whatever the values hold.
struct LogLine {
    /// The longest text value, in characters; the rest is cut off, and shown to be.
    static let longestValue = 256
    /// The longest message, in characters.
    static let longestMessage = 512

    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(256)
        bytes.append(UInt8(ascii: "{"))
    }

    mutating func add(_ name: String, _ text: String, longest: Int = Self.longestValue) {
        begin(name)
        bytes.append(UInt8(ascii: "\""))
        append(text, longest: longest)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func add(_ name: String, number: some BinaryInteger) {
        begin(name)
        bytes.append(contentsOf: String(number).utf8)
    }

    /// Ends the object and the line.
    mutating func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private mutating func begin(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        append(name, longest: Self.longestValue)
        bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: ":")])
    }

    /// Escapes what JSON must have escaped (RFC 8259 section 7), and the line separators that some readers break at.
    private mutating func append(_ text: String, longest: Int) {
        let scalars = text.unicodeScalars
        for scalar in scalars.prefix(longest) {
            switch scalar.value {
            case 0x22: bytes.append(contentsOf: [0x5C, 0x22])
            case 0x5C: bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x00..<0x20, 0x7F...0x9F, 0x2028, 0x2029: appendEscape(scalar.value)
            default: bytes.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
            }
        }
        if scalars.count > longest { bytes.append(contentsOf: "…".utf8) }
    }

    /// `\u` and four hexadecimal digits, for a scalar below U+10000.
    private mutating func appendEscape(_ value: UInt32) {
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "u")])
        for shift in [12, 8, 4, 0] { bytes.append(digits[Int((value >> UInt32(shift)) & 0xF)]) }
    }
}
