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
        var configuration = configuration
        configuration.limit(by: environment.descriptors)
        let neighbours = Neighbours { name, purpose in environment.channel(to: name, for: purpose.rawValue) }
        let refusals = environment.refusals(of: configuration.boundNames)
        let tokens = AccessTokenAuthenticator(
            keys: IdentitySigningKeys(channel: environment.channel(to: "identity")))
        let hub = FeedHub(
            chat: FeedChannels(
                sessions: environment.channel(to: "chat", for: "feeds"),
                moderators: environment.channel(to: "chat", for: "moderator-feeds"),
                participants: (1...FeedChannels.forParticipants).map { number in
                    environment.channel(to: "chat", for: "participant-feeds-\(number)")
                }),
            limits: configuration.feed, refusals: refusals, recognise: recognition(by: tokens))
        let gates = CallGates(limits: configuration.calls, refusals: refusals)
        let regions = KnownRegions(own: environment.region)
        let frontEnd = try HTTPFrontEnd(
            configuration: configuration, neighbours: neighbours, regions: regions, hub: hub, gates: gates,
            logger: environment.logger, metrics: environment.metrics, group: environment.group
        ) { [configuration] port in
            if !configuration.isLocal {
                environment.logger.warning(
                    "HTTP is served to other machines without encryption: put a proxy that speaks TLS before it")
            }
            announce(configuration, port: port, logger: environment.logger)
        }
        let health = NeighbourHealth(neighbours: neighbours, health: environment.health, regions: regions) {
            name, isServing in
            if name == "chat" { hub.chat(answers: isServing) }
        }
        return ServiceParts(
            handlers: try Forwarding.handlers(to: neighbours, gates: gates, refusals: refusals), access: .rolesOnly,
            background: [health, frontEnd],
            forwarded: NeighbourHealth.services, neighbourRegions: { regions.neighbours })
    }

    /// Chat alone decides what a token allows; here it says whose places a moderator takes.
    private static func recognition(by tokens: AccessTokenAuthenticator) -> AdministratorRecognition {
        { authorization in
            guard
                case .administrator(let id, let organisationID)? =
                    try? await tokens.principal(ofAuthorization: authorization)
            else { return nil }
            return (id, organisationID)
        }
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
