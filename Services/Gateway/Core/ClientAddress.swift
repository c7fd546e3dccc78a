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
        case 16: self.bytes = Array(bytes.prefix(Self.subscriberBytes))
        default: self.bytes = []
        }
    }

    /// The /48 of an IPv6 address, which is what a site is given: 65,536 subscribers' worth of addresses. nil for others.
    package var network: ClientAddress? {
        bytes.count == Self.subscriberBytes ? ClientAddress(networkOf: bytes) : nil
    }

    private static let subscriberBytes = 8

    /// Of another length than any address.
    private init(networkOf subscriber: [UInt8]) { bytes = Array(subscriber.prefix(6)) }

    /// - Parameter name: what a proxy calls the client instead of its address. Longer than any address, so that it is
    ///   never taken for one.
    package init(name: String) { bytes = Array("proxied client ".utf8) + name.utf8 }

    /// A client of which nothing is known.
    package static let unknown = ClientAddress(bytes: [])
}
