/// The text of `tracestate` (W3C Trace Context, section 3.3): up to 32 members `key=value`, separated by commas.
enum TraceState {
    static let name = "tracestate"
    /// As much as everybody should pass on (section 3.3.1.5); a longer list is dropped whole.
    static let longest = 512
    static let mostMembers = 32

    /// The list as it is passed on, its empty members and the blanks around commas left out; "" when there is none or
    /// any part of it isn't well formed: half a list could say something that nobody said.
    static func parse(_ text: UnsafeRawBufferPointer) -> String {
        guard text.count <= longest else { return "" }
        var kept: [UInt8] = []
        var keys: [Slice<UnsafeRawBufferPointer>] = []
        for part in text.split(separator: UInt8(ascii: ",")) {
            let member = trimmed(part)
            if member.isEmpty { continue }
            guard let sign = member.firstIndex(of: UInt8(ascii: "=")) else { return "" }
            let key = member[..<sign]
            guard isKey(key), isValue(member[member.index(after: sign)...]), keys.count < mostMembers,
                !keys.contains(where: { $0.elementsEqual(key) })
            else { return "" }
            keys.append(key)
            if !kept.isEmpty { kept.append(UInt8(ascii: ",")) }
            kept += member
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// Spaces and tabs around a member mean nothing.
    private static func trimmed(_ part: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        guard let start = part.firstIndex(where: { !isBlank($0) }), let end = part.lastIndex(where: { !isBlank($0) })
        else { return part[part.endIndex...] }
        return part[start...end]
    }

    /// A small letter first, or a digit in `tenant@system`; then up to 255 of small letters, digits and `_-*/`, of
    /// which the tenant has at most 241 and the system at most 14.
    private static func isKey(_ key: Slice<UnsafeRawBufferPointer>) -> Bool {
        let parts = key.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return isName(parts[0], atMost: 256, mayBeginWithDigit: false)
        case 2:
            return isName(parts[0], atMost: 241, mayBeginWithDigit: true)
                && isName(parts[1], atMost: 14, mayBeginWithDigit: false)
        default: return false
        }
    }

    private static func isName(
        _ name: Slice<UnsafeRawBufferPointer>, atMost longest: Int, mayBeginWithDigit: Bool
    ) -> Bool {
        guard name.count <= longest, let first = name.first, isSmall(first) || mayBeginWithDigit && isDigit(first)
        else {
            return false
        }
        return name.allSatisfy { isSmall($0) || isDigit($0) || "_-*/".utf8.contains($0) }
    }

    /// Up to 256 printable characters without `,` and `=`; not empty and not ending in a blank, which trimming saw to.
    private static func isValue(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        (1...256).contains(value.count)
            && value.allSatisfy {
                (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=")
            }
    }

    private static func isSmall(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
