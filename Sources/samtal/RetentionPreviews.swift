import ArgumentParser
import Contracts
import Foundation
import RPC

extension PolicyCommand {
    /// `samtal policy preview`.
    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what setting the retention time would do to the sessions there are. Changes nothing.",
            discussion: "Acts for the administrator who is signed in.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String
        @Argument(help: "Days after a session's end.") var days: UInt32

        func run() async throws {
            try await Connection.asAdministrator(connection, signIn) { services, administrator in
                let preview = try await services.retention.previewPolicy(
                    .init(organisationID: organisation, retentionDays: days), options: administrator)
                try say(preview.described)
            }
        }
    }
}

extension AgreementCommand {
    /// `samtal agreement preview`.
    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Shows what confirming the agreement in force would do to the sessions there are. Changes nothing.",
            discussion: "Acts for the administrator who is signed in.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String

        func run() async throws {
            try await Connection.asAdministrator(connection, signIn) { services, administrator in
                let preview = try await services.retention.previewAgreement(
                    .init(organisationID: organisation), options: administrator)
                try say("agreement           version \(preview.agreementVersion)\n\(preview.described)")
            }
        }
    }

    /// `samtal agreement confirm`.
    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Applies the cap of the agreement in force to the sessions there are.",
            discussion: """
                Acts for the administrator who is signed in: until one confirms, sessions keep what they were promised. \
                samtal agreement preview says which version it is, and how many sessions would be erased.
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String
        @Option(help: "The agreement's version that was previewed.") var version: UInt32
        @Option(help: ErasureCount.help) var erase: UInt32 = 0

        func run() async throws {
            try await Connection.asAdministrator(connection, signIn) { services, administrator in
                let agreement = try await services.retention.confirmAgreement(
                    .init(organisationID: organisation, agreementVersion: version, expectedErasures: erase),
                    options: administrator)
                try say("confirmed  version \(agreement.version), \(agreement.capDays) days; erased at once: \(erase)")
            }
        }
    }
}

enum ErasureCount {
    static let help = ArgumentHelp(
        "How many sessions are to be erased at once, as the preview counts them; with another number nothing is done.",
        valueName: "count")
}

extension RetentionV1.RetentionPreview {
    /// The counts, and a line for each session that the preview names.
    fileprivate var described: String {
        var lines = [
            "days                \(retentionDays)", "erased at once      \(erasedSessions)",
            "erased earlier      \(movedSessions)", "not ended, shorter  \(unendedSessions)",
        ]
        lines += sessions.map { session in
            let before = session.deleteTime?.date.formatted(.iso8601) ?? ""
            let after = session.erasedAtOnce ? "at once" : session.newDeleteTime?.date.formatted(.iso8601) ?? ""
            return "  \(session.sessionID)  \(before) → \(after)"
        }
        let more = Int(erasedSessions) + Int(movedSessions) - sessions.count
        if more > 0 { lines.append("  and \(more) more") }
        return lines.joined(separator: "\n")
    }
}
