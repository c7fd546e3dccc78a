internal import GatewayCore
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Tells clients apart by their address, without keeping it.
struct ClientAddresses: Sendable {
    private let trusted: Set<[UInt8]>
    private let header: ClientAddressHeader

    init(_ configuration: GatewayConfiguration) {
        // One that is no address is never met.
        trusted = Set(configuration.trustedProxies.compactMap { Self.bytes(of: $0) })
        header = configuration.clientAddressHeader
    }

    func client(of request: Request, on channel: any Channel) -> ClientAddress {
        guard let peer = channel.remoteAddress?.ipAddress else { return .unknown }
        guard !trusted.isEmpty else { return Self.bytes(of: peer).map(ClientAddress.init) ?? .unknown }
        let values = request.headers[values: header == .forwarded ? .forwarded : .forwardedFor]
        let value = values.isEmpty ? nil : values.joined(separator: ",")
        let node = ForwardedClient.node(peer: peer, header: header, value: value) { address in
            Self.bytes(of: address).map(trusted.contains) ?? false
        }
        switch node {
        case .address(let address): return Self.bytes(of: address).map(ClientAddress.init) ?? .unknown
        case .obfuscated(let name): return ClientAddress(name: name)
        case .unknown: return .unknown
        }
    }

    /// Who is at the other end of the connection; nil if it is a trusted proxy.
    func peer(of channel: any Channel) -> ClientAddress? {
        guard let bytes = channel.remoteAddress?.ipAddress.flatMap(Self.bytes) else { return .unknown }
        return trusted.contains(bytes) ? nil : ClientAddress(bytes: bytes)
    }

    static func isAddress(_ text: String) -> Bool { bytes(of: text) != nil }

    /// In network order; an IPv4 address mapped into IPv6 as IPv4. nil if it is no address.
    private static func bytes(of text: String) -> [UInt8]? {
        if let bytes = parsed(text, family: AF_INET, count: 4) { return bytes }
        guard let bytes = parsed(text, family: AF_INET6, count: 16) else { return nil }
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }

    private static func parsed(_ text: String, family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}

extension HTTPField.Name {
    static let forwardedFor = Self("X-Forwarded-For")!
    static let forwarded = Self("Forwarded")!
    static let samtalParticipant = Self("Samtal-Participant")!
    static let lastEventID = Self("Last-Event-ID")!
}
