package import GatewayCore

/// How a gateway is reached, and every bound it keeps.
package struct GatewayConfiguration: Sendable {
    /// Where HTTP is served; port 0 takes any free one.
    package var host = "127.0.0.1"
    package var port = 8080
    /// The file that is told HOST:PORT once it is bound, for whoever started the gateway on a free port.
    package var addressFile: String?
    /// Where browsers reach the gateway, such as `https://samtal.example.org`; nil: where they already are.
    package var publicURL: String?
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    package var trustedProxies: [String] = []
    package var rateRules = RateLimiter.Rule.defaults

    /// Connections at the same time; more wait to be accepted.
    package var maximumConnections = 16_384
    /// Bytes of a request's headers.
    package var maximumHeaderBytes = 16 * 1024
    package var maximumHeaderCount = 64
    /// How long a connection may be idle between requests.
    package var idleTimeout: Duration = .seconds(60)
    /// How long a client may take to send one whole request.
    package var requestTimeout: Duration = .seconds(20)
    /// How long a client may leave its full buffers unread.
    package var stallTimeout: Duration = .seconds(30)
    /// How long requests in flight may go on after a shutdown has begun.
    package var drainTimeout: Duration = .seconds(5)
    package var feed = FeedLimits()

    package init() {}

    var isSecure: Bool { publicURL?.hasPrefix("https://") ?? false }
}
