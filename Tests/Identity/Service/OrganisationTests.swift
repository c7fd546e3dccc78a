import Contracts
import Foundation
import IdentityCore
import Privacy
import RPC
import Testing

@Suite("Organisations and administrators over the socket")
struct OrganisationTests {
    @Test("an organisation that was created is read back")
    func created() async throws {
        try await RunningIdentity.with { identity in
            let created = try await identity.organisation("  Example Nyheter ÅB ")
            #expect(created.displayName == "Example Nyheter ÅB")
            #expect(created.createTime?.date != nil)
            let read = try await identity.client.getOrganisation(
                .init(organisationID: created.organisationID), options: RunningIdentity.asOperator)
            #expect(read == created)
        }
    }

    @Test("a service learns what an organisation is called, and nothing else of it")
    func name() async throws {
        try await RunningIdentity.with { identity in
            let created = try await identity.organisation("Example Nyheter")
            let service = CallOptions(metadata: ["samtal-role": "service"], timeout: .seconds(20))
            let name = try await identity.client.getOrganisationName(
                .init(organisationID: created.organisationID), options: service)
            #expect(name == IdentityV1.OrganisationName(displayName: "Example Nyheter"))
            #expect(
                try await refusal {
                    try await identity.client.getOrganisationName(.init(organisationID: "org-x"), options: service)
                } == .organisationNotFound)
            let malformed = try await refusal {
                try await identity.client.getOrganisationName(.init(organisationID: "Org X"), options: service)
            }
            #expect(malformed?.code == .invalidArgument && malformed?.field == "organisation_id")
        }
    }

    @Test("an administrator that was added is listed with e-mail and name")
    func added() async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            let added = try await identity.administrator("Karin@Example.se", of: organisation)
            #expect(added.email == "Karin@Example.se")
            #expect(added.displayName == "Karin Berg")
            #expect(added.organisationID == organisation.organisationID)
            let listed = try await identity.client.listAdministrators(
                .init(organisationID: organisation.organisationID), options: RunningIdentity.asOperator)
            #expect(listed.administrators == [added])
            #expect(listed.nextPageToken.isEmpty)
        }
    }

    @Test("an e-mail address belongs to one administrator, whatever its letter case and the organisation")
    func emailInUse() async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            _ = try await identity.administrator("karin@example.se", of: organisation)
            let other = try await identity.organisation("Example Bank")
            for email in ["karin@example.se", "KARIN@EXAMPLE.SE", " Karin@example.se "] {
                for organisation in [organisation, other] {
                    #expect(
                        try await refusal { try await identity.administrator(email, of: organisation) }
                            == Refusal(code: .alreadyExists, reason: "EMAIL_IN_USE", field: "email"))
                }
            }
        }
    }

    @Test("lists come in pages that hold every entry once, in order of creation")
    func pages() async throws {
        try await RunningIdentity.with { identity in
            var created: [String] = []
            for index in 0..<7 {
                identity.clock.advance(by: 1)
                created.append(try await identity.organisation("Example \(index)").organisationID)
            }
            var request = IdentityV1.ListOrganisationsRequest(pageSize: 3)
            var pages: [[String]] = []
            repeat {
                let page = try await identity.client.listOrganisations(request, options: RunningIdentity.asOperator)
                pages.append(page.organisations.map(\.organisationID))
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty
            #expect(pages.map(\.count) == [3, 3, 1])
            #expect(pages.flatMap { $0 } == created)
        }
    }

    @Test("a page that the list ends with exactly is the last, and a huge page size is cut to what is allowed")
    func pageSizes() async throws {
        try await RunningIdentity.with(limits: IdentityLimits(administratorsPerOrganisation: 300)) { identity in
            let organisation = try await identity.organisation()
            for index in 0..<201 {
                identity.clock.advance(by: 1)
                _ = try await identity.administrator("a\(index)@example.se", name: "A", of: organisation)
            }
            func page(_ size: UInt32) async throws -> IdentityV1.ListAdministratorsResponse {
                try await identity.client.listAdministrators(
                    .init(organisationID: organisation.organisationID, pageSize: size),
                    options: RunningIdentity.asOperator)
            }
            #expect(try await page(0).administrators.count == 50)
            let largest = try await page(.max)
            #expect(largest.administrators.count == 200)
            let rest = try await identity.client.listAdministrators(
                .init(
                    organisationID: organisation.organisationID, pageSize: 1, pageToken: largest.nextPageToken),
                options: RunningIdentity.asOperator)
            #expect(rest.administrators.map(\.email) == ["a200@example.se"])
            #expect(rest.nextPageToken.isEmpty)
        }
    }

    @Test("an unknown organisation is not found")
    func unknown() async throws {
        try await RunningIdentity.with { identity in
            let unknown = IdentityV1.Organisation(organisationID: "org-none")
            let refused = try await refusal {
                try await identity.client.getOrganisation(
                    .init(organisationID: unknown.organisationID), options: RunningIdentity.asOperator)
            }
            #expect(refused == .organisationNotFound)
            #expect(try await refusal { try await identity.administrator(of: unknown) } == .organisationNotFound)
        }
    }
}
