internal import Logging
internal import NIOPosix
internal import RPC
package import ServiceKit

/// The gateway, wired up.
package enum Gateway {
    /// The neighbours need not be up: what needs one that is away is answered with UNAVAILABLE, naming it.
    package static func start(
        in environment: ServiceEnvironment, configuration: GatewayConfiguration
    ) throws -> ServiceParts {
        let neighbours = Neighbours(channel: environment.channel(to:))
        let hub = FeedHub(chat: environment.channel(to: "chat"), limits: configuration.feed)
        let frontEnd = try HTTPFrontEnd(
            configuration: configuration, neighbours: neighbours, hub: hub, logger: environment.logger,
            group: environment.group)
        return ServiceParts(
            handlers: try Forwarding.handlers(to: neighbours), access: .rolesOnly, background: [frontEnd])
    }
}
