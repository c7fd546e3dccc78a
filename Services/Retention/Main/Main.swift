import ArgumentParser
import RetentionServer
import ServiceKit

/// samtal-retention: agreements, policies, session keys, erasure, export, the ledger.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "samtal-retention",
        abstract: "Keeps sessions only as long as agreed, and proves that they are gone.")

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        try await ServiceRunner.run(name: "retention", options: options, build: RetentionAssembly.parts)
    }
}
