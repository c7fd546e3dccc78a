import ArgumentParser
import Contracts
import Foundation
import RPC

/// `samtal sign-in-link`: a one-time link for an administrator.
struct SignInLink: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in-link", abstract: "Makes a one-time link with which an administrator signs in.",
        discussion: "The link works once, for a few minutes. A link made earlier for the same person stops working.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The administrator's e-mail address.") var email: String
    @Option(help: "Where browsers reach the gateway (default: $SAMTAL_URL, or http://127.0.0.1:8080).")
    var url: String?

    func validate() throws {
        if let url, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
            throw ValidationError("--url begins with http:// or https://, such as https://samtal.example.org.")
        }
    }

    func run() async throws {
        try await Connection.with(connection) { services in
            let code = try await services.identity.createSignInCode(.init(email: email))
            let base = url ?? ProcessInfo.processInfo.environment["SAMTAL_URL"] ?? "http://127.0.0.1:8080"
            // The code travels in the fragment, which browsers never send: it reaches no server's log.
            print("\(base)/admin#code=\(code.code)")
        }
    }
}
