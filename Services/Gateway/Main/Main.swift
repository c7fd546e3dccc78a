import ArgumentParser
import GatewayServer
import ServiceKit

@main
struct SamtalGateway: CheckedCommand {
    static let configuration = CommandConfiguration(
        commandName: "samtal-gateway",
        abstract: "The way in: web pages, a JSON API and live feeds over HTTP, and one gRPC socket for all services.",
        discussion: """
            Serves HTTP/1.1 for browsers, and forwards samtal.identity.v1, samtal.chat.v1 and \
            samtal.retention.v1 over gRPC on a Unix socket, DIR/run/gateway.sock. It keeps no data: no file, \
            no address, no cookie.

            The services it forwards to need not be up: what needs one that is away is answered with 503, \
            naming it. TLS is a reverse proxy's work; name the proxy with --trusted-proxy, so that clients are \
            told apart.

            SIGTERM and SIGINT let the requests in flight finish. Logs are JSON lines on standard error and \
            hold no personal data.

            Example:
              samtal-gateway --data /var/lib/samtal --region se \\
                --public-url https://samtal.example.org --trusted-proxy 127.0.0.1
            """)

    @OptionGroup var options: ServiceOptions
    @OptionGroup var gateway: GatewayOptions

    func run() async throws {
        let configuration = try gateway.configuration()
        try await ServiceRunner.run(name: "gateway", options: options) { environment in
            try Gateway.start(in: environment, configuration: configuration)
        }
    }
}
