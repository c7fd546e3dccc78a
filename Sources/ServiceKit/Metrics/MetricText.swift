/// Prometheus's text format, version 0.0.4.
enum MetricText {
    /// The longest value of a label, in bytes; the rest is cut off.
    static let longestValue = 128

    /// A name as the format allows it: letters, digits, `_` and `:`, no digit first; anything else becomes `_`.
    static func name(_ text: String) -> String { identifier(text, allowsColon: true) }

    /// `service="a",method="b"`, sorted by name, so that the order in which they were given makes no difference.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { (identifier($0.0, allowsColon: false), escaped($0.1)) }
            .sorted { $0.0 < $1.0 }
            .map { "\($0.0)=\"\($0.1)\"" }
            .joined(separator: ",")
    }

    /// The shortest text that reads back as the number.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }

    /// Backslashes and line ends in a help text.
    static func help(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
    }

    private static func identifier(_ text: String, allowsColon: Bool) -> String {
        let cut = text.utf8.prefix(longestValue)
        var bytes = cut.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                byte
            case UInt8(ascii: ":") where allowsColon: byte
            default: UInt8(ascii: "_")
            }
        }
        if bytes.first.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) ?? true {
            bytes.insert(UInt8(ascii: "_"), at: 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func escaped(_ value: String) -> String {
        var bytes: [UInt8] = []
        for byte in value.utf8.prefix(longestValue) {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
