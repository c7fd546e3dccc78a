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

    /// Whether only this machine can reach it.
    package var isLocal: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    var isSecure: Bool { publicURL?.hasPrefix("https://") ?? false }
}

/// The bounds of the live feeds.
package struct FeedLimits: Sendable {
    /// Sessions followed upstream at the same time: each is one of the calls that chat allows on a connection.
    package var sessions = 600
    /// Followers of public feeds with their own authorisation, each of which is an upstream call too.
    package var ownWatches = 50
    /// Followers of what moderators see; upstream calls as well. All three together leave room for other calls.
    package var moderatorWatches = 150
    package var followersPerSession = 10_000
    package var followers = 12_000
    /// Bytes of one session's present state.
    package var stateBytes = 32 * 1024 * 1024
    /// Events that may arrive while a follower is still being sent what it missed.
    package var waitingEvents = 1_024
    package var heartbeat: Duration = .seconds(15)
    /// How long upstream may take to tell the present state.
    package var openTimeout: Duration = .seconds(10)
    /// How long a feed without followers is kept.
    package var unfollowedTime: Duration = .seconds(60)
    /// How long the last known state is shown while upstream is away. After it the state is dropped: what was erased in
    /// the meantime must not be served from here.
    package var staleTime: Duration = .seconds(60)
    /// What browsers are told to wait before they connect again.
    package var retry: Duration = .seconds(2)
    package var backoff = Backoff()

    package init() {}
}
