/// Reading the text of a URL, strictly: what is malformed is nil, never guessed at.
package enum URLText {
    /// Decodes `%XX`; nil for a broken escape, a NUL or other control character, or bytes that are not UTF-8.
    ///
    /// - Parameter plusIsSpace: as in a query (`application/x-www-form-urlencoded`).
    package static func decoded(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var source = text.utf8.makeIterator()
        while let byte = source.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = source.next().flatMap(hexValue), let low = source.next().flatMap(hexValue) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Whether every `%` begins an escape, whatever is escaped.
    package static func isEscaped(_ text: some StringProtocol) -> Bool {
        var source = text.utf8.makeIterator()
        while let byte = source.next() {
            guard byte == UInt8(ascii: "%") else { continue }
            guard source.next().flatMap(hexValue) != nil, source.next().flatMap(hexValue) != nil else { return false }
        }
        return true
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// A query's fields in the order they came.
package struct Query: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var fields: [Field] = []

    /// Fields in one query at most.
    package static let maximumFields = 32

    /// nil if it is malformed or has too many fields.
    ///
    /// - Parameter text: what follows the `?`, still escaped; empty if there was none.
    package init?(_ text: some StringProtocol) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard fields.count < Self.maximumFields, let name = URLText.decoded(parts[0], plusIsSpace: true),
                !name.isEmpty,
                let value = parts.count == 2 ? URLText.decoded(parts[1], plusIsSpace: true) : ""
            else { return nil }
            fields.append(Field(name: name, value: value))
        }
    }

    /// The first value of a field.
    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Takes a field out, so that it is not forwarded.
    package mutating func remove(_ name: String) -> String? {
        let value = self[name]
        fields.removeAll { $0.name == name }
        return value
    }
}
