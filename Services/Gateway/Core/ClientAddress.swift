/// The network address of a client, for the one purpose of limiting how often it may call. It lives in memory while a
/// request is admitted and is never logged, stored or sent on.
package struct ClientAddress: Sendable, Hashable {
    /// What is told apart: an IPv4 address whole, an IPv6 address by its /64, which is what one subscriber is given.
    package let bytes: [UInt8]

    /// - Parameter bytes: 4 bytes of IPv4 or 16 of IPv6 in network order; an IPv4 address mapped into IPv6
    ///   (RFC 4291, section 2.5.5.2) counts as IPv4. Anything else, such as no address at all, is one client.
    package init(bytes: [UInt8]) {
        let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        switch bytes.count {
        case 4: self.bytes = bytes
        case 16 where bytes.starts(with: mappedPrefix): self.bytes = Array(bytes.suffix(4))
        case 16: self.bytes = Array(bytes.prefix(8))
        default: self.bytes = []
        }
    }

    /// A client of which nothing is known.
    package static let unknown = ClientAddress(bytes: [])
}

/// Who the client is when proxies stand before the gateway.
package enum ForwardedFor {
    /// Walks `X-Forwarded-For` from its end, past every trusted proxy, to the first address nobody trusted wrote.
    ///
    /// Without a trusted proxy at the other end of the connection the header means nothing, because anybody can send it.
    ///
    /// - Parameters:
    ///   - peer: the address at the other end of the connection, as text.
    ///   - header: the values of the header, joined by commas; nil without one.
    ///   - isTrusted: whether an address, as text, is that of a configured proxy.
    package static func client(peer: String, header: String?, isTrusted: (String) -> Bool) -> String {
        guard isTrusted(peer), let header else { return peer }
        var client = peer
        for entry in header.utf8.split(separator: UInt8(ascii: ",")).suffix(maximumHops).reversed() {
            let address = entry.split(separator: UInt8(ascii: " ")).first.flatMap { String($0) } ?? ""
            guard !address.isEmpty else { break }
            client = address
            guard isTrusted(address) else { break }
        }
        return client
    }

    /// Entries looked at; more proxies than these nobody has.
    package static let maximumHops = 8
}
