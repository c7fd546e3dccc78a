/// A media type as a header field gives it (RFC 9110, section 8.3.1): `application/json; charset="utf-8"`.
package struct MediaType: Sendable, Equatable {
    /// `application/json`, in lower case.
    package var name: String
    /// In the order they came; names in lower case, values without their quotes.
    package var parameters: [(name: String, value: String)]

    /// nil if it is not one: a type and a subtype that are tokens, then parameters, each a token, `=` and a token or a
    /// quoted string. Space around `;` counts for nothing, and an empty parameter is skipped.
    package init?(_ text: String) {
        var reader = FieldReader(text)
        guard let type = reader.token(), reader.skip(UInt8(ascii: "/")), let subtype = reader.token() else {
            return nil
        }
        guard let parameters = reader.parameters(), reader.isAtEnd else { return nil }
        name = "\(type)/\(subtype)".lowercased()
        self.parameters = parameters
    }

    /// The first value of a parameter, by its name in lower case.
    package subscript(parameter name: String) -> String? { parameters.first { $0.name == name }?.value }

    package static func == (one: Self, other: Self) -> Bool {
        one.name == other.name && one.parameters.elementsEqual(other.parameters, by: ==)
    }
}

extension MediaType {
    package enum JSONSuitability: Sendable, Equatable {
        case suitable
        /// There is none, it can't be read, or it is another media type.
        case notJSON
        /// JSON in another charset than UTF-8, which is the only one that JSON has (RFC 8259, section 8.1).
        case notUTF8
    }

    /// Whether a body of that `Content-Type` can be read as JSON. UTF-8 goes by either of its spellings, and ASCII is
    /// a part of it.
    package static func suitability(ofContentType text: String?) -> JSONSuitability {
        guard let text, let type = MediaType(text), type.name == "application/json" else { return .notJSON }
        guard let charset = type[parameter: "charset"]?.lowercased() else { return .suitable }
        return ["utf-8", "utf8", "us-ascii", "ascii"].contains(charset) ? .suitable : .notUTF8
    }
}

/// Reads the value of a header field, byte by byte (RFC 9110, section 5.6).
struct FieldReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Whether that byte came next; it is gone then.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func skipSpace() {
        while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { position += 1 }
    }

    /// nil if none comes next.
    mutating func token() -> String? {
        let start = position
        while let byte = next, Self.isTokenByte(byte) { position += 1 }
        return position == start ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// A token, or a quoted string without its quotes and escapes; nil if neither comes next, or it has no end.
    mutating func word() -> String? {
        guard skip(UInt8(ascii: "\"")) else { return token() }
        var value: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = next else { return nil }
                position += 1
                value.append(escaped)
            default: value.append(byte)
            }
        }
        return nil
    }

    /// `; name=value` as often as it comes; nil if something is no parameter.
    mutating func parameters() -> [(name: String, value: String)]? {
        var parameters: [(name: String, value: String)] = []
        skipSpace()
        while skip(UInt8(ascii: ";")) {
            skipSpace()
            guard let byte = next, byte != UInt8(ascii: ";"), byte != UInt8(ascii: ",") else { continue }
            guard let name = token(), skip(UInt8(ascii: "=")), let value = word() else { return nil }
            parameters.append((name.lowercased(), value))
            skipSpace()
        }
        return parameters
    }

    /// RFC 9110, section 5.6.2.
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
