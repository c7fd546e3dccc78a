import ArgumentParser
import Contracts
import Foundation
import RPC

/// `samtal sign-in-code`: which sign-in links were made for an organisation.
struct SignInCodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in-code",
        abstract: "Lists and revokes the sign-in links that were made for an organisation.",
        subcommands: [List.self, Revoke.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists who made a sign-in link, when, for whom, and what became of it; the newest first.",
            discussion: """
                Links that administrators made are on record for 30 days, the operator's for 366 days. Acts for the \
                administrator who is signed in, or as the operator where nobody is.
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String

        func run() async throws {
            try await Connection.asAdministratorOrOperator(connection, signIn) { services, options in
                var request = IdentityV1.ListSignInCodesRequest(organisationID: organisation)
                repeat {
                    let page = try await services.identity.listSignInCodes(request, options: options)
                    for code in page.signInCodes { try say(code.described) }
                    request.pageToken = page.nextPageToken
                } while !request.pageToken.isEmpty
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a sign-in link before it is used.",
            discussion: "Acts for the administrator who is signed in, or as the operator where nobody is.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String
        @Argument(help: "The id of the link's code (samtal sign-in-code list).") var code: String

        func run() async throws {
            try await Connection.asAdministratorOrOperator(connection, signIn) { services, options in
                let revoked = try await services.identity.revokeSignInCode(
                    .init(organisationID: organisation, signInCodeID: code), options: options)
                try say(revoked.described)
            }
        }
    }
}

extension IdentityV1.SignInCode {
    /// One line.
    fileprivate var described: String {
        let maker = maker == .operator ? "the operator" : madeBy?.displayName ?? "a former administrator"
        let whom = administrator.map { "\($0.displayName) <\($0.email)>" } ?? "a former administrator"
        let reason = instruction.isEmpty ? "" : "  on instruction: \(instruction)"
        return "\(signInCodeID)  \(time(createTime))  by \(maker)  for \(whom)  \(outcome)\(reason)"
    }

    private var outcome: String {
        switch state {
        case .notYetUsable: "works from \(time(usableTime)) on"
        case .usable: "works until \(time(expireTime))"
        case .used: "used \(time(endTime))"
        case .expired: "expired \(time(endTime))"
        case .replaced: "replaced \(time(endTime))"
        case .revoked: "revoked \(time(endTime))"
        default: ""
        }
    }

    private func time(_ time: GoogleProtobuf.Timestamp?) -> String { time?.date.formatted(.iso8601) ?? "" }
}
