/// Who a proxy says that the client is.
package enum ForwardedNode: Sendable, Equatable {
    /// An address as text, without brackets and port.
    case address(String)
    /// A name that a proxy made up for the client, such as `_SEVKISEK` (RFC 7239, section 6.3).
    case obfuscated(String)
    /// The proxy doesn't know, or what it wrote can't be read.
    case unknown
}

/// Who the client is when proxies stand before the gateway.
///
/// Proxies write `X-Forwarded-For`, or `Forwarded` (RFC 7239). The first wins where both come: most proxies write that
/// one and pass on whatever a client put into the other.
package enum ForwardedClient {
    /// Entries looked at; more proxies than these nobody has.
    package static let maximumHops = 8
    /// Bytes of a made-up name that tell clients apart.
    static let maximumNameBytes = 64

    /// Walks the header from its end, past every trusted proxy, to the first node nobody trusted wrote.
    ///
    /// Without a trusted proxy at the other end of the connection the headers mean nothing, because anybody can send
    /// them.
    ///
    /// - Parameters:
    ///   - peer: the address at the other end of the connection, as text.
    ///   - forwardedFor: the values of `X-Forwarded-For`, joined by commas; nil without one.
    ///   - forwarded: those of `Forwarded`.
    ///   - isTrusted: whether an address, as text, is that of a configured proxy.
    package static func node(
        peer: String, forwardedFor: String?, forwarded: String?, isTrusted: (String) -> Bool
    ) -> ForwardedNode {
        var client = ForwardedNode.address(peer)
        guard isTrusted(peer) else { return client }
        for node in nodes(forwardedFor: forwardedFor, forwarded: forwarded).suffix(maximumHops).reversed() {
            client = node
            guard case .address(let address) = node, isTrusted(address) else { break }
        }
        return client
    }

    private static func nodes(forwardedFor: String?, forwarded: String?) -> [ForwardedNode] {
        if let forwardedFor {
            let entries = forwardedFor.split(separator: ",").map { $0.trimmingSpace() }.filter { !$0.isEmpty }
            if !entries.isEmpty { return entries.suffix(maximumHops).map(node(of:)) }
        }
        return forwarded.map(elements(of:)) ?? []
    }

    /// `for=192.0.2.60;proto=http, for="[2001:db8::1]:47011"`: the nodes of its elements. An element without `for`
    /// names nobody; in a header that can't be read, nobody is named at all.
    private static func elements(of forwarded: String) -> [ForwardedNode] {
        var reader = FieldReader(forwarded)
        var nodes: [ForwardedNode] = []
        while !reader.isAtEnd {
            reader.skipSpace()
            if reader.skip(UInt8(ascii: ",")) { continue }
            if reader.isAtEnd { break }
            guard let name = pair(&reader), let others = reader.parameters() else { return [.unknown] }
            let named = ([name] + others).first { $0.name == "for" }
            nodes.append(named.map { node(of: $0.value) } ?? .unknown)
            reader.skipSpace()
            guard reader.isAtEnd || reader.next == UInt8(ascii: ",") else { return [.unknown] }
        }
        return nodes
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
