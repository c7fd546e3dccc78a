import ArgumentParser
import Contracts
import RPC

/// `samtal administrator`: the licensed users.
struct AdministratorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "administrator", abstract: "Adds, lists and removes the administrators of an organisation.",
        subcommands: [Add.self, List.self, Remove.self])

    fileprivate static let whoActs = """
        Acts for the administrator who is signed in (samtal sign-in). Where nobody is, it acts as the operator, who sets \
        an organisation up until one of its administrators has signed in.
        """

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds an administrator: only the e-mail address and the name are stored.",
            discussion: AdministratorCommand.whoActs)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String
        @Argument(help: "The administrator's e-mail address.") var email: String
        @Argument(help: "The administrator's name.") var name: String

        func run() async throws {
            try await Connection.asAdministratorOrOperator(connection, signIn) { services, options in
                let added = try await services.identity.addAdministrator(
                    .init(organisationID: organisation, email: email, displayName: name), options: options)
                try say("administrator  \(added.administratorID)  \(added.displayName) <\(added.email)>")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes an administrator, for good.",
            discussion: """
                Their name and address are erased, and they are signed out everywhere within seconds. The id is asked \
                for twice, so that nobody else is removed by mistake. An organisation's last administrator stays.

                \(AdministratorCommand.whoActs)
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var signIn: SignInOptions
        @Argument(help: "The organisation's id.") var organisation: String
        @Argument(help: "The administrator's id (samtal administrator list).") var administrator: String
        @Option(help: ArgumentHelp("The administrator's id again.", valueName: "administrator")) var confirm: String

        func validate() throws {
            guard confirm == administrator else {
                throw ValidationError("--confirm must repeat the administrator's id; nobody was removed.")
            }
        }

        func run() async throws {
            try await Connection.asAdministratorOrOperator(connection, signIn) { services, options in
                _ = try await services.identity.removeAdministrator(
                    .init(organisationID: organisation, administratorID: administrator), options: options)
                try say("removed  \(administrator)")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the administrators of an organisation.")

        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The organisation's id.") var organisation: String

        func run() async throws {
            try await Connection.with(connection) { services in
                var request = IdentityV1.ListAdministratorsRequest(organisationID: organisation)
                repeat {
                    let page = try await services.identity.listAdministrators(request)
                    for administrator in page.administrators {
                        try say(
                            "\(administrator.administratorID)  \(administrator.displayName) <\(administrator.email)>")
                    }
                    request.pageToken = page.nextPageToken
                } while !request.pageToken.isEmpty
            }
        }
    }
}
