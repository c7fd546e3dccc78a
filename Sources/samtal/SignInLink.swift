import ArgumentParser
import Contracts
import Foundation
import RPC
import ServiceKit

/// `samtal sign-in-link`: a one-time link for an administrator.
struct SignInLink: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in-link", abstract: "Makes a one-time link with which an administrator signs in.",
        discussion: "The link works once, for a few minutes. A link made earlier for the same person stops working.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The administrator's e-mail address.") var email: String
    @Option(help: "Where browsers reach the gateway (default: $SAMTAL_URL, or http://127.0.0.1:8080).")
    var url: String?

    /// The option, the environment, or where Scripts/run serves.
    private func origin() throws -> WebOrigin {
        if let url { return try WebOrigin(option: "--url", url) }
        let variable = ProcessInfo.processInfo.environment["SAMTAL_URL"] ?? ""
        return try WebOrigin(option: "SAMTAL_URL", variable.isEmpty ? "http://127.0.0.1:8080" : variable)
    }

    func validate() throws { _ = try origin() }

    func run() async throws {
        let origin = try origin()
        try await Connection.with(connection) { services in
            let code = try await services.identity.createSignInCode(.init(email: email))
            // The code travels in the fragment, which browsers never send: it reaches no server's log.
            try say("\(origin)/admin#code=\(code.code)")
        }
    }
}
