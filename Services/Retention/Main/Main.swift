import ArgumentParser
import RetentionServer
import ServiceKit

/// samtal-retention: agreements, policies, session keys, erasure, export, the ledger.
@main
struct Main: CheckedCommand {
    static let configuration = CommandConfiguration(
        commandName: "samtal-retention",
        abstract: "Keeps sessions only as long as agreed, and proves that they are gone.")

    @OptionGroup var options: ServiceOptions
    @OptionGroup var retention: RetentionOptions

    func run() async throws {
        let keySettings = try retention.keySettings()
        try await ServiceRunner.run(name: "retention", options: options) { environment in
            try await RetentionAssembly.parts(
                in: environment, keySettings: keySettings, anchorSettings: retention.anchorSettings)
        }
    }
}
