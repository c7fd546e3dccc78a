/// Who a proxy says that the client is.
package enum ForwardedNode: Sendable, Equatable {
    /// An address as text, without brackets and port.
    case address(String)
    /// A name that a proxy made up for the client, such as `_SEVKISEK` (RFC 7239, section 6.3).
    case obfuscated(String)
    /// The proxy doesn't know, or what it wrote can't be read.
    case unknown
}

/// Which header a trusted proxy says in who the client is. The other one is ignored: a proxy passes on what a client put
/// into a header that it doesn't write itself.
package enum ClientAddressHeader: String, CaseIterable, Sendable {
    /// RFC 7239.
    case forwarded
    case xForwardedFor = "x-forwarded-for"
}

/// Who the client is when proxies stand before the gateway.
package enum ForwardedClient {
    /// Entries looked at; more proxies than these nobody has.
    package static let maximumHops = 8
    /// Bytes of a made-up name that tell clients apart.
    static let maximumNameBytes = 64

    /// Walks the header from its end, past every trusted proxy, to the first node nobody trusted wrote. What is before that
    /// one, which anybody may have written, is not looked at.
    ///
    /// Without a trusted proxy at the other end of the connection the header means nothing, because anybody can send it.
    ///
    /// - Parameters:
    ///   - peer: the address at the other end of the connection, as text.
    ///   - header: which one it is.
    ///   - value: its values, joined by commas; nil without any.
    ///   - isTrusted: whether an address, as text, is that of a configured proxy.
    package static func node(
        peer: String, header: ClientAddressHeader, value: String?, isTrusted: (String) -> Bool
    ) -> ForwardedNode {
        var client = ForwardedNode.address(peer)
        guard isTrusted(peer), let value else { return client }
        var rest = value.utf8[...]
        var hops = 0
        while hops < maximumHops, let entry = lastEntry(of: &rest, quoted: header == .forwarded) {
            guard !entry.isEmpty else { continue }
            hops += 1
            client = header == .forwarded ? element(entry) : node(of: entry)
            guard case .address(let address) = client, isTrusted(address) else { break }
        }
        return client
    }

    /// Takes what is after the last comma, without space around it; nil when nothing is left.
    ///
    /// - Parameter quoted: a comma in a quoted string separates nothing. Where the string began is not known from the end,
    ///   so that a quote that somebody left open before it goes no further than this entry's own.
    private static func lastEntry(of rest: inout Substring.UTF8View, quoted: Bool) -> String? {
        guard !rest.isEmpty else { return nil }
        var start = rest.endIndex
        var isInString = false
        while start > rest.startIndex {
            let before = rest.index(before: start)
            if quoted, rest[before] == UInt8(ascii: "\""), !isEscaped(before, in: rest) { isInString.toggle() }
            if rest[before] == UInt8(ascii: ","), !isInString { break }
            start = before
        }
        let entry = String(decoding: rest[start...], as: UTF8.self).trimmingSpace()
        rest = start > rest.startIndex ? rest[..<rest.index(before: start)] : rest[..<rest.startIndex]
        return entry
    }

    /// Whether an odd number of backslashes stands before it.
    private static func isEscaped(_ index: String.Index, in text: Substring.UTF8View) -> Bool {
        let backslashes = text[..<index].reversed().prefix { $0 == UInt8(ascii: "\\") }
        return !backslashes.count.isMultiple(of: 2)
    }

    /// `for="[2001:db8::1]:47011";proto=https`: the node of an element. One without `for` names nobody, nor does one that
    /// can't be read.
    private static func element(_ text: String) -> ForwardedNode {
        var reader = FieldReader(text)
        guard let name = pair(&reader), let others = reader.parameters() else { return .unknown }
        reader.skipSpace()
        guard reader.isAtEnd else { return .unknown }
        let named = ([name] + others).first { $0.name == "for" }
        return named.map { node(of: $0.value) } ?? .unknown
    }

    private static func pair(_ reader: inout FieldReader) -> (name: String, value: String)? {
        guard let name = reader.token(), reader.skip(UInt8(ascii: "=")), let value = reader.word() else { return nil }
        return (name.lowercased(), value)
    }

    /// `192.0.2.1`, `192.0.2.1:50001`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`, `_name`, `unknown`; any of
    /// them in quotes, the IPv6 address perhaps with a zone.
    static func node(of text: String) -> ForwardedNode {
        var text = Substring(text)
        if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        if text.hasPrefix("_") {
            let name = text.prefix { $0 != ":" }
            let isName = name.utf8.count <= maximumNameBytes && name.utf8.allSatisfy(FieldReader.isTokenByte)
            return isName ? .obfuscated(String(name)) : .unknown
        }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return .unknown }
            return address(text[text.index(after: text.startIndex)..<end])
        }
        // One colon is before a port; an IPv6 address has more of them.
        if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 { text = text.prefix { $0 != ":" } }
        return address(text)
    }

    private static func address(_ text: Substring) -> ForwardedNode {
        let address = text.prefix { $0 != "%" }
        let isPlausible = address.utf8.allSatisfy { byte in
            byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") || isHexDigit(byte)
        }
        return isPlausible && !address.isEmpty ? .address(String(address)) : .unknown
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
