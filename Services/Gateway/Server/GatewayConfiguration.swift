package import GatewayCore
package import ServiceKit

/// How a gateway is reached, and every bound it keeps.
package struct GatewayConfiguration: Sendable {
    /// Where HTTP is served; port 0 takes any free one.
    package var host = "127.0.0.1"
    package var port = 8080
    /// The file that is told HOST:PORT once it is bound, for whoever started the gateway on a free port.
    package var addressFile: String?
    /// Where browsers reach the gateway, such as `https://samtal.example.org`; nil: where they already are.
    package var publicURL: String?
    /// Whom an organisation turns to about its agreement; nil: nobody is named.
    package var contact: Contact?
    /// Whom everybody turns to when something doesn't work; nil: nobody is named.
    package var support: Contact?
    /// Addresses of proxies that are believed who the client is.
    package var trustedProxies: [String] = []
    /// The header that they say it in.
    package var clientAddressHeader = ClientAddressHeader.xForwardedFor
    package var rateRules = RateLimiter.Rule.defaults

    /// Connections at the same time; the process's descriptors may allow fewer. For one more, the one that has been
    /// idle for longest gives way; if none is idle, it is refused.
    package var maximumConnections = 16_384
    /// Those of one client, as an address or an IPv6 /64, among them; the client's own give way. As many as a lecture
    /// hall behind one address needs. Trusted proxies have many clients, and only the bound above.
    package var maximumConnectionsPerClient = 4_096
    /// Those of one IPv6 /48 among them, which its owner has 65,536 clients' addresses of.
    package var maximumConnectionsPerNetwork = 8_192
    /// Bytes of a request's target: its path and query (RFC 9112, section 3, asks for 8,000 at least).
    package var maximumTargetBytes = 8 * 1024
    /// Bytes of a request's headers.
    package var maximumHeaderBytes = 16 * 1024
    package var maximumHeaderCount = 64
    /// How long a connection may be idle between requests.
    package var idleTimeout: Duration = .seconds(60)
    /// How long a client may take to send one whole request: from the beginning of the connection for the first one,
    /// from its first byte for those that follow.
    package var requestTimeout: Duration = .seconds(20)
    /// How long what a client still sends is read and dropped after the last answer of a connection, so that the answer
    /// reaches it (RFC 9112, section 9.6).
    package var lingerTimeout: Duration = .seconds(2)
    /// How long a client may leave its full buffers unread.
    package var stallTimeout: Duration = .seconds(30)
    /// How long requests in flight may go on after a shutdown has begun.
    package var drainTimeout: Duration = .seconds(5)
    package var feed = FeedLimits()
    package var calls = CallLimits()

    package init() {}

    /// The names of the bounds on feeds, calls and what is passed on.
    package var boundNames: [String] { feed.names + calls.names + Forwarding.bounds }

    /// Lowers the bounds on connections to what the process's descriptors allow; one client, and one
    /// network, keep their shares of them.
    package mutating func limit(by descriptors: DescriptorBudget) {
        let all = maximumConnections
        maximumConnections = descriptors.connections(atMost: all)
        guard maximumConnections < all else { return }
        maximumConnectionsPerClient = min(maximumConnectionsPerClient, max(1, maximumConnections / 2))
        maximumConnectionsPerNetwork = min(maximumConnectionsPerNetwork, max(1, maximumConnections * 3 / 4))
    }

    /// Whether only this machine can reach it.
    package var isLocal: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    var isSecure: Bool { publicURL?.hasPrefix("https://") ?? false }
}
