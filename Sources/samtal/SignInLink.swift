import ArgumentParser
import Contracts
import Foundation
import RPC
import ServiceKit

/// `samtal sign-in-link`: a one-time link for an administrator.
struct SignInLink: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in-link", abstract: "Makes a one-time link with which an administrator signs in.",
        discussion: """
            The link works once, for a few minutes. A link made earlier for the same person stops working. Every link is \
            on record with who made it: the organisation's administrators see that (samtal sign-in-code list).

            Acts for the administrator who is signed in (samtal sign-in). Where nobody is, it acts as the operator, who \
            makes links for an organisation until one of its administrators has signed in, and none afterwards.

            An organisation that has lost every sign-in instructs the operator to make a link. The operator names the \
            instruction with --instruction: a case number or the date of a letter, and no person. Such a link works 24 \
            hours later, for 24 hours; meanwhile every administrator sees it, and any of them can revoke it.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var signIn: SignInOptions
    @Argument(help: "The administrator's e-mail address.") var email: String
    @Option(help: "Where browsers reach the gateway (default: $SAMTAL_URL, or http://127.0.0.1:8080).")
    var url: String?
    @Option(
        help: ArgumentHelp("Acts as the operator, on this instruction of the organisation's.", valueName: "text"))
    var instruction: String?

    /// The option, the environment, or where Scripts/run serves.
    private func origin() throws -> WebOrigin {
        if let url { return try WebOrigin(option: "--url", url) }
        let variable = ProcessInfo.processInfo.environment["SAMTAL_URL"] ?? ""
        return try WebOrigin(option: "SAMTAL_URL", variable.isEmpty ? "http://127.0.0.1:8080" : variable)
    }

    func validate() throws { _ = try origin() }

    func run() async throws {
        let origin = try origin()
        let code = try await made()
        // The code travels in the fragment, which browsers never send: it reaches no server's log.
        try say("\(origin)/admin#code=\(code.code)")
        if let usable = code.usableTime?.date, let created = code.createTime?.date, usable > created {
            let expiry = code.expireTime?.date.formatted(.iso8601) ?? ""
            try say("works from \(usable.formatted(.iso8601)) to \(expiry), unless an administrator revokes it")
        }
    }

    private func made() async throws -> IdentityV1.SignInCode {
        var request = IdentityV1.CreateSignInCodeRequest(email: email)
        guard let instruction else {
            return try await Connection.asAdministratorOrOperator(connection, signIn) { services, options in
                try await services.identity.createSignInCode(request, options: options)
            }
        }
        request.instruction = instruction
        return try await Connection.with(connection) { services in
            try await services.identity.createSignInCode(request)
        }
    }
}
