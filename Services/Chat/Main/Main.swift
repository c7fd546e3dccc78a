internal import ArgumentParser
internal import ChatServer
internal import ServiceKit
internal import Storage
internal import StorageStatus

/// samtal-chat: sessions, questions, answers and the live feed, over gRPC on a Unix socket.
@main
struct Main: CheckedCommand {
    static let configuration = CommandConfiguration(
        commandName: "samtal-chat", abstract: "Serves Samtal's chat sessions on a Unix socket.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var chat: ChatOptions

    func run() async throws {
        let settings = try chat.settings()
        try await ServiceRunner.run(name: "chat", options: service) { environment in
            var settings = settings
            settings.store = StoreLimits(environment.descriptors)
            let administrators = Administrators(
                identity: environment.channel(to: "identity"), logger: environment.logger)
            return try await ChatAssembly(
                folder: environment.ownFolder, region: environment.region,
                identity: environment.channel(to: "identity"), retention: environment.channel(to: "retention"),
                settings: settings, reserve: DiskReserve(of: environment), metrics: environment.metrics,
                health: environment.health,
                logger: environment.logger
            )
            .parts(administrators: administrators.authenticator, revocations: [administrators.revocations])
        }
    }
}
