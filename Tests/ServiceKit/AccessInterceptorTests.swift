import Contracts
import RPC
import Testing

@testable import ServiceKit

@Suite("Access to a call")
struct AccessInterceptorTests {
    private let ask = "/samtal.chat.v1.ChatService/AskQuestion"
    private let list = "/samtal.chat.v1.ChatService/ListQuestions"
    private let signIn = "/samtal.identity.v1.IdentityService/SignIn"
    private let organisation = "/samtal.identity.v1.IdentityService/GetOrganisation"

    @Test("the handler sees who called and in which role")
    func attached() async throws {
        let call = call(ask)
        try await accessInterceptor(roles: [.gateway], [FixedAuthenticator(someParticipant)]).begin(call)
        #expect(call.principal == someParticipant)
        #expect(call.roles == [.gateway])
        #expect(try call.participant().sessionID == "ses-1")
        #expect(throws: RPCError.principalNotAllowed) { try call.administrator() }
    }

    @Test("somebody with tokens of two kinds may use either")
    func twoTokens() async throws {
        let both = [FixedAuthenticator(someAdministrator), FixedAuthenticator(someParticipant)]
        let asking = call(ask)
        try await accessInterceptor(roles: [.gateway], both).begin(asking)
        #expect(asking.principal == someParticipant)
        let listing = call(list)
        try await accessInterceptor(roles: [.gateway], both).begin(listing)
        #expect(listing.principal == someAdministrator)
    }

    @Test("a bad token of one kind doesn't spoil a good one of the kind that is needed")
    func badBesideGood() async throws {
        let call = call(ask)
        try await accessInterceptor(
            roles: [.gateway], [FixedAuthenticator(failing: .tokenExpired), FixedAuthenticator(someParticipant)]
        ).begin(call)
        #expect(call.principal == someParticipant)
    }

    @Test("a bad token is an error where a token tells more, and nothing where none is ever needed")
    func badToken() async throws {
        let interceptor = accessInterceptor(roles: [.gateway], [FixedAuthenticator(failing: .tokenExpired)])
        await #expect(throws: RPCError.tokenExpired) { try await interceptor.begin(call(list)) }
        await #expect(throws: RPCError.tokenExpired) { try await interceptor.begin(call(ask)) }
        let signingIn = call(signIn)
        try await interceptor.begin(signingIn)
        #expect(signingIn.principal == .anyone)
    }

    @Test("a peer without a role for the method isn't authenticated")
    func rolesFirst() async {
        let interceptor = accessInterceptor(roles: [.service], [FixedAuthenticator(failing: .tokenInvalid)])
        await #expect(throws: RPCError.roleNotAllowed) { try await interceptor.begin(call(ask)) }
    }

    @Test("a gateway that the operator's own user runs doesn't lend the operator's role to browsers")
    func actingRole() async {
        let all = Set(PeerRole.allCases)
        #expect(await refusal(organisation, roles: all) == nil)
        let asGateway: Metadata = ["samtal-role": "gateway"]
        #expect(await refusal(organisation, roles: all, metadata: asGateway) == "TOKEN_REQUIRED")
        #expect(await refusal(organisation, roles: all, as: someAdministrator, metadata: asGateway) == nil)
    }

    @Test("naming a role gives none that the peer hasn't got")
    func roleIsNotGained() async {
        let asOperator: Metadata = ["samtal-role": "operator"]
        #expect(await refusal(organisation, roles: [.gateway], metadata: asOperator) == "TOKEN_REQUIRED")
        #expect(
            await refusal(organisation, roles: [.gateway, .backend], metadata: asOperator) == "ROLE_NOT_ALLOWED")
        #expect(
            await refusal(organisation, roles: [.gateway, .operator], metadata: ["samtal-role": "king"])
                == "ROLE_NOT_ALLOWED")
    }

    @Test("a channel names its role whatever the caller had put there")
    func namedRole() async throws {
        var options = CallOptions(metadata: ["samtal-role": "operator"])
        try await ActingRoleInterceptor(role: .gateway).begin(method(ask), options: &options)
        #expect(options.metadata.values("samtal-role") == ["gateway"])
    }

    @Test("a forwarding server checks roles and leaves tokens to the service that answers")
    func forwarding() async throws {
        let interceptor = accessInterceptor(
            roles: [.backend], [FixedAuthenticator(failing: .tokenInvalid)], scope: .rolesOnly)
        try await interceptor.begin(call(ask))
        await #expect(throws: RPCError.roleNotAllowed) {
            try await interceptor.begin(call("/samtal.retention.v1.RetentionService/GetSessionKey"))
        }
    }

    @Test("an administrator may name their own organisation, the operator any")
    func organisations() async throws {
        let own = call(organisation)
        try await accessInterceptor(roles: [.gateway], [FixedAuthenticator(someAdministrator)]).begin(own)
        try own.requireOrganisation("org-1")
        #expect(throws: RPCError(.notFound, "organisation: not found", reason: "ORGANISATION_NOT_FOUND")) {
            try own.requireOrganisation("org-2")
        }
        let theirs = call(organisation)
        try await accessInterceptor(roles: [.operator]).begin(theirs)
        try theirs.requireOrganisation("org-2")
        let both = call(organisation)
        try await accessInterceptor(roles: [.operator, .gateway], [FixedAuthenticator(someAdministrator)]).begin(both)
        #expect(throws: RPCError.self) { try both.requireOrganisation("org-2") }
        #expect(throws: RPCError.tokenRequired(.administrator)) {
            try call(organisation).requireOrganisation("org-1")
        }
    }
}
