import ArgumentParser
import Contracts
import RPC

/// `samtal agreement`: the data-processing agreements (GDPR Art. 28(3)).
struct AgreementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agreement", abstract: "Records and shows an organisation's data-processing agreement.",
        subcommands: [Record.self, Show.self, Preview.self, Confirm.self])

    enum Kind: String, ExpressibleByArgument, CaseIterable { case standard, custom }

    struct Record: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Records a signed agreement. Before it the organisation can't create a session.",
            discussion: """
                Recording again makes the next version. A lower cap holds for new sessions at once, and for those there \
                are when an administrator has confirmed it, on the page or with samtal agreement confirm.
                """)

        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The organisation's id.") var organisation: String
        @Option(help: "The processor's own text (standard) or the controller's (custom).") var kind: Kind = .standard
        @Option(help: "The agreement's reference in your archive.") var reference: String
        @Option(help: ArgumentHelp("The day it was signed.", valueName: "yyyy-mm-dd")) var signed: String
        @Option(help: "For how many days after its end a session may be kept at most, 1 to 31; never over a month.")
        var capDays: UInt32

        func run() async throws {
            try await Connection.with(connection) { services in
                let agreement = try await services.retention.recordAgreement(
                    .init(
                        organisationID: organisation, kind: kind == .standard ? .standard : .custom,
                        reference: reference, signedDate: signed, capDays: capDays))
                try AgreementCommand.describe(agreement)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the agreement in force.")

        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The organisation's id.") var organisation: String

        func run() async throws {
            try await Connection.with(connection) { services in
                try AgreementCommand.describe(
                    await services.retention.getAgreement(.init(organisationID: organisation)))
            }
        }
    }

    fileprivate static func describe(_ agreement: RetentionV1.Agreement) throws {
        let kind = agreement.kind == .custom ? "custom" : "standard"
        try say(
            """
            agreement  \(agreement.reference) (\(kind)), version \(agreement.version)
            signed     \(agreement.signedDate)
            cap        \(agreement.capDays) days after a session's end, and never over one calendar month
            """)
        if agreement.confirmationPending {
            try say(
                "waiting    sessions are kept for longer until an administrator confirms it: samtal agreement confirm")
        }
    }
}

/// `samtal policy`: for how long an organisation keeps its sessions.
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Sets and shows for how long an organisation's sessions are kept.",
        subcommands: [Preview.self, Set.self, Show.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets the retention time in days after a session's end, 0 to the agreement's cap.",
            discussion: """
                Acts for the administrator who is signed in: it is the controller's to set. Sessions that are kept for \
                longer are shortened; samtal policy preview says which, and how many would be erased at once.
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String
        @Argument(help: "Days after a session's end.") var days: UInt32
        @Option(help: ErasureCount.help) var erase: UInt32 = 0
        @Flag(help: "For 0 days: says that erasing each session the moment it ends is meant.")
        var confirmZeroDays = false

        func run() async throws {
            try await Connection.asAdministrator(connection, signIn) { services, administrator in
                let policy = try await services.retention.setPolicy(
                    .init(
                        organisationID: organisation, retentionDays: days, expectedErasures: erase,
                        confirmZeroDays: confirmZeroDays),
                    options: administrator)
                try say("policy  \(policy.retentionDays) days, version \(policy.version)")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the retention time in force.")

        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The organisation's id.") var organisation: String

        func run() async throws {
            try await Connection.with(connection) { services in
                let policy = try await services.retention.getPolicy(.init(organisationID: organisation))
                try say("policy  \(policy.retentionDays) days, version \(policy.version)")
            }
        }
    }
}
