import ArgumentParser
import IdentityServer
import ServiceKit

@main
struct SamtalIdentity: CheckedCommand {
    static let configuration = CommandConfiguration(
        commandName: "samtal-identity",
        abstract: "Organisations, their administrators, and how they sign in.",
        discussion: """
            Serves samtal.identity.v1 over gRPC on a Unix socket. It needs no other service.

            What it keeps:
              DIR/identity/identity.sqlite  organisations, administrators, hashes of
                                            codes and refresh tokens, and which
                                            sign-ins were ended lately
              DIR/identity/signing-key      the private key of access tokens, made on
                                            the first start; keep it secret

            SIGTERM and SIGINT let the calls in flight finish. Logs are JSON lines on \
            standard error and hold no personal data.

            Example:
              samtal-identity --data /var/lib/samtal --region se --peer samtal-gateway=gateway \\
                --peer samtal-chat=service --peer samtal-retention=service --peer 0=operator
            """)

    @OptionGroup var options: ServiceOptions
    @Option(help: ArgumentHelp("The most administrators of one organisation, 1 to 10000.", valueName: "n"))
    var maxAdministrators = 200

    func validate() throws {
        guard (1...10_000).contains(maxAdministrators) else {
            throw ValidationError("--max-administrators must be 1 to 10000")
        }
    }

    func run() async throws {
        try await ServiceRunner.run(name: "identity", options: options) { environment in
            try await Identity.start(in: environment, maximumAdministrators: maxAdministrators)
        }
    }
}
