/// The name-value pairs sent beside a call: request metadata and trailers.
///
/// Kept as one run of bytes, just as they came, and read only when asked: most calls carry a few pairs and most
/// handlers look at none. Looking up is linear in the size, which the header list limit bounds. Names are lower case.
///
/// A value is printable ASCII; a pair whose name ends in `-bin` holds any bytes, base64 on the wire
/// (``addBinary(_:_:)``).
public struct Metadata: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// Pairs one after the other: length of the name and of the value (four bytes each, little endian), name, value.
    var storage: [UInt8] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }

    public var isEmpty: Bool { storage.isEmpty }

    /// The first value with that name, nil when there is none or it isn't text.
    public subscript(first name: String) -> String? {
        first(name) { String(validating: $0, as: UTF8.self) } ?? nil
    }

    /// Every value with that name, in the order they were sent.
    public func values(_ name: String) -> [String] {
        var found: [String] = []
        forEachPair { pairName, value in
            if Metadata.matches(pairName, name), let text = String(validating: value, as: UTF8.self) {
                found.append(text)
            }
            return true
        }
        return found
    }

    /// All pairs, in order, with `-bin` values still in base64.
    public var pairs: [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        forEachPair { name, value in
            found.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            return true
        }
        return found
    }

    /// Adds a pair, beside any with the same name.
    ///
    /// The name is made lower case. A byte that can't travel in a header value (anything but printable ASCII) becomes
    /// `?`: use ``addBinary(_:_:)`` for text in other scripts. Spaces around the value are taken off, as they would be
    /// on the way (RFC 9113, 8.2.1).
    public mutating func add(_ name: String, _ value: String) {
        var lowered = name.lowercased()
        var printable = Metadata.trimmed(value)
        lowered.withUTF8 { nameBytes in
            printable.withUTF8 { valueBytes in
                if valueBytes.allSatisfy({ (0x20...0x7E).contains($0) }) {
                    append(name: UnsafeRawBufferPointer(nameBytes), value: UnsafeRawBufferPointer(valueBytes))
                } else {
                    let replaced = valueBytes.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
                    replaced.withUnsafeBytes { append(name: UnsafeRawBufferPointer(nameBytes), value: $0) }
                }
            }
        }
    }

    private static func trimmed(_ value: String) -> String {
        let space = UInt8(ascii: " ")
        guard value.utf8.first == space || value.utf8.last == space else { return value }
        let rest = value.utf8.drop { $0 == space }
        guard let last = rest.lastIndex(where: { $0 != space }) else { return "" }
        return String(rest[...last]) ?? ""
    }

    /// Removes every pair with that name, then adds one.
    public mutating func replace(_ name: String, _ value: String) {
        remove(name)
        add(name, value)
    }

    /// Removes every pair with that name.
    public mutating func remove(_ name: String) {
        var kept = Metadata()
        forEachPair { pairName, value in
            if !Metadata.matches(pairName, name) { kept.append(name: pairName, value: value) }
            return true
        }
        self = kept
    }
}

extension Metadata {
    /// Appends a pair as it is: the name is lower case already and the value can travel in a header.
    mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let needed = storage.count + 8 + name.count + value.count
        // Once for the four parts, and at least twice as much as before: what is reserved is not rounded up.
        if needed > storage.capacity { storage.reserveCapacity(max(needed, 2 * storage.capacity)) }
        Metadata.appendLength(name.count, to: &storage)
        Metadata.appendLength(value.count, to: &storage)
        storage.append(contentsOf: name)
        storage.append(contentsOf: value)
    }

    /// Calls `body` with each pair until it returns false. The pointers are valid only during the call.
    func forEachPair(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool) {
        storage.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let nameLength = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                let valueLength = Int(
                    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)))
                let nameStart = offset + 8
                let valueStart = nameStart + nameLength
                offset = valueStart + valueLength
                let name = UnsafeRawBufferPointer(rebasing: bytes[nameStart..<valueStart])
                let value = UnsafeRawBufferPointer(rebasing: bytes[valueStart..<offset])
                if !body(name, value) { return }
            }
        }
    }

    /// What `body` makes of the first value with that name; nil when there is none.
    func first<Result>(_ name: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        var result: Result?
        forEachPair { pairName, value in
            guard Metadata.matches(pairName, name) else { return true }
            result = body(value)
            return false
        }
        return result
    }

    /// How many pairs there are.
    var count: Int {
        var count = 0
        forEachPair { _, _ in
            count += 1
            return true
        }
        return count
    }

    /// Names and values as HTTP/2 counts them.
    var listSize: Int {
        var size = 0
        forEachPair { name, value in
            size += name.count + value.count + HeaderBlock.pairOverhead
            return true
        }
        return size
    }

    private static func appendLength(_ length: Int, to storage: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: length).littleEndian) { storage.append(contentsOf: $0) }
    }

    /// Whether the lower-case `stored` name is `asked`, in any case.
    static func matches(_ stored: UnsafeRawBufferPointer, _ asked: String) -> Bool {
        let asked = asked.utf8
        guard stored.count == asked.count else { return false }
        var index = 0
        for byte in asked {
            let lowered = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            if stored[index] != lowered { return false }
            index += 1
        }
        return true
    }
}
