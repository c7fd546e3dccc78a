internal import Contracts
internal import Foundation
internal import IdentityCore
internal import Logging
internal import Privacy
internal import RPC
internal import ServiceKit

/// Identity's RPCs: decode, validate, call, encode. Who may call which is the access table's business; here an
/// administrator is kept to their own organisation.
struct IdentityHandlers: IdentityV1.IdentityServiceHandler {
    let store: IdentityStore
    let signer: TokenSigner
    let clock: any WallClock
    let refusals: Refusals
    let logger: Logger

    func createOrganisation(
        _ request: IdentityV1.CreateOrganisationRequest, call: ServerCall
    ) async throws -> IdentityV1.Organisation {
        let organisation = Organisation(
            id: Identifier.random(prefix: "org-"),
            displayName: try Self.displayName(request.displayName, Organisation.displayNameCharacters),
            createTime: clock.confirmed().wholeMilliseconds)
        try await translatingErrors { try await store.add(organisation) }
        return IdentityV1.Organisation(organisation)
    }

    func getOrganisation(
        _ request: IdentityV1.GetOrganisationRequest, call: ServerCall
    ) async throws -> IdentityV1.Organisation {
        let id = try Self.organisationID(request.organisationID, of: call)
        return IdentityV1.Organisation(try await translatingErrors { try await store.organisation(id) })
    }

    func getOrganisationName(
        _ request: IdentityV1.GetOrganisationNameRequest, call: ServerCall
    ) async throws -> IdentityV1.OrganisationName {
        let id = try FieldCheck.identifier(request.organisationID, field: "organisation_id")
        return .init(displayName: try await translatingErrors { try await store.organisation(id) }.displayName)
    }

    func listOrganisations(
        _ request: IdentityV1.ListOrganisationsRequest, call: ServerCall
    ) async throws -> IdentityV1.ListOrganisationsResponse {
        let page = try PageRequest(size: request.pageSize, token: request.pageToken)
        let found = try await translatingErrors {
            try await store.organisations(after: page.position, limit: page.fetchLimit)
        }
        let (shown, next) = page.cut(found) { ListPosition(createTime: $0.createTime, id: $0.id) }
        return .init(organisations: shown.map(IdentityV1.Organisation.init), nextPageToken: next)
    }

    func addAdministrator(
        _ request: IdentityV1.AddAdministratorRequest, call: ServerCall
    ) async throws -> IdentityV1.Administrator {
        let organisationID = try Self.organisationID(request.organisationID, of: call)
        let administrator = Administrator(
            id: Identifier.random(prefix: "adm-"), organisationID: organisationID,
            email: try Self.emailAddress(request.email),
            displayName: try Self.displayName(request.displayName, Administrator.displayNameCharacters),
            createTime: clock.confirmed().wholeMilliseconds)
        let requester = try Self.requester(of: call)
        try await counted { try await store.add(administrator, by: requester) }
        return IdentityV1.Administrator(administrator)
    }

    func removeAdministrator(
        _ request: IdentityV1.RemoveAdministratorRequest, call: ServerCall
    ) async throws -> IdentityV1.RemoveAdministratorResponse {
        let organisationID = try Self.organisationID(request.organisationID, of: call)
        let id = try FieldCheck.identifier(request.administratorID, field: "administrator_id")
        let requester = try Self.requester(of: call)
        try await translatingErrors {
            try await store.removeAdministrator(id, of: organisationID, by: requester, at: clock.times)
            // If this fails the removal stands, and the sweep goes on with it.
            try await store.purgeRemovals()
        }
        return .init()
    }

    func listAdministrators(
        _ request: IdentityV1.ListAdministratorsRequest, call: ServerCall
    ) async throws -> IdentityV1.ListAdministratorsResponse {
        let organisationID = try Self.organisationID(request.organisationID, of: call)
        let page = try PageRequest(size: request.pageSize, token: request.pageToken)
        let found = try await translatingErrors {
            try await store.administrators(of: organisationID, after: page.position, limit: page.fetchLimit)
        }
        let (shown, next) = page.cut(found) { ListPosition(createTime: $0.createTime, id: $0.id) }
        return .init(administrators: shown.map(IdentityV1.Administrator.init), nextPageToken: next)
    }
}

extension IdentityHandlers {
    /// The organisation a request names, if the caller may: the operator any, an administrator their own.
    static func organisationID(_ text: String, of call: ServerCall) throws(RPCError) -> String {
        let id = try FieldCheck.identifier(text, field: "organisation_id")
        try call.requireOrganisation(id)
        return id
    }

    /// On whose behalf the call is made.
    static func requester(of call: ServerCall) throws(RPCError) -> Requester {
        if case .anyone = call.principal, call.roles.contains(.operator) { return .operator }
        return .administrator(id: try call.administrator().id)
    }

    /// Runs what a bound may refuse, and counts it if it does.
    func counted<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await translatingErrors {
            do {
                return try await body()
            } catch let error as IdentityError {
                if let bound = error.bound { refusals.count(bound) }
                throw error
            }
        }
    }

    private static func displayName(_ text: String, _ characters: ClosedRange<Int>) throws(RPCError) -> String {
        try FieldCheck.text(text, field: "display_name", min: characters.lowerBound, max: characters.upperBound)
    }

    static func emailAddress(_ text: String) throws(RPCError) -> EmailAddress {
        try requirePresent(text, field: "email")
        return try translatingErrors { () throws(IdentityError) in try EmailAddress(text, field: "email") }
    }
}
