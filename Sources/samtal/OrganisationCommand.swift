import ArgumentParser
import Contracts
import RPC

/// `samtal organisation`: the data controllers.
struct OrganisationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "organisation", abstract: "Creates and lists organisations, the data controllers.",
        subcommands: [Create.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates an organisation, and its first administrator if one is named.")

        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "What the organisation is called.") var displayName: String
        @Option(help: ArgumentHelp("E-mail address of its first administrator.", valueName: "email"))
        var administrator: String?
        @Option(help: ArgumentHelp("The first administrator's name.", valueName: "name"))
        var name: String?

        func validate() throws {
            if (administrator == nil) != (name == nil) {
                throw ValidationError("--administrator and --name go together: an e-mail address and whose it is.")
            }
        }

        func run() async throws {
            try await Connection.with(connection) { services in
                let organisation = try await services.identity.createOrganisation(.init(displayName: displayName))
                try say("organisation  \(organisation.organisationID)  \(organisation.displayName)")
                if let administrator, let name {
                    do {
                        let added = try await services.identity.addAdministrator(
                            .init(organisationID: organisation.organisationID, email: administrator, displayName: name))
                        try say("administrator  \(added.administratorID)  \(added.displayName) <\(added.email)>")
                    } catch {
                        // The organisation stays; making it again would make a second one.
                        try say("administrator  not added; samtal administrator add adds one to this organisation")
                        throw error
                    }
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists organisations, a line each: id and name.",
            discussion: """
                With --without-agreement those that have no data-processing agreement on record, and can create no session \
                until they do: whom to write to. samtal administrator list says who they are.
                """)

        @OptionGroup var connection: ConnectionOptions
        @Flag(help: "Only those without a data-processing agreement.") var withoutAgreement = false

        func run() async throws {
            try await Connection.with(connection) { services in
                var request = IdentityV1.ListOrganisationsRequest()
                repeat {
                    let page = try await services.identity.listOrganisations(request)
                    for organisation in page.organisations {
                        if withoutAgreement, try await hasAgreement(organisation.organisationID, services) { continue }
                        try say("\(organisation.organisationID)  \(organisation.displayName)")
                    }
                    request.pageToken = page.nextPageToken
                } while !request.pageToken.isEmpty
            }
        }

        private func hasAgreement(_ id: String, _ services: Connection) async throws -> Bool {
            do {
                _ = try await services.retention.getAgreement(.init(organisationID: id))
                return true
            } catch let error as RPCError where error.reason == "AGREEMENT_NOT_FOUND" {
                return false
            }
        }
    }
}
