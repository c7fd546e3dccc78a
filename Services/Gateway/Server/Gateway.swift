internal import Foundation
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
            group: environment.group
        ) { port in
            if !configuration.isLocal {
                environment.logger.warning(
                    "HTTP is served to other machines without encryption: put a proxy that speaks TLS before it")
            }
            announce(configuration, port: port, logger: environment.logger)
        }
        return ServiceParts(
            handlers: try Forwarding.handlers(to: neighbours), access: .rolesOnly, background: [frontEnd])
    }

    /// Written whole or not at all, so that whoever waits for the file reads an address.
    private static func announce(_ configuration: GatewayConfiguration, port: Int, logger: Logger) {
        guard let path = configuration.addressFile else { return }
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        do {
            try Data("\(host):\(port)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            logger.error("can't write the file of --http-address-file")
        }
    }
}
