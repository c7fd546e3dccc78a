import Contracts
import RPC
import Testing

@testable import ServiceKit

@Suite("The access table")
struct AccessTableTests {
    private static let principals = [Principal.anyone, someParticipant, someAdministrator]

    /// What the .proto files say of one cell, worked out without the project's generator.
    private func expectation(_ grants: [String: Set<String>], _ role: PeerRole, _ principal: Principal) -> String? {
        guard let allowed = grants[role.rawValue], !allowed.isEmpty else { return "ROLE_NOT_ALLOWED" }
        if allowed.contains("anyone") || allowed.contains(principal.kind.rawValue) { return nil }
        return principal == .anyone ? "TOKEN_REQUIRED" : "PRINCIPAL_NOT_ALLOWED"
    }

    @Test("every method has a line in what is expected, and no line is for nothing")
    func expectationsAreComplete() {
        #expect(AccessExpectations.lines.map(\.path).sorted() == servedMethods.map(\.path).sorted())
        #expect(Set(AccessExpectations.lines.map(\.path)) == Set(AccessTable.rules.keys))
    }

    @Test("every method answers every set of roles and every principal as is expected")
    func everyExpectation() async throws {
        // All sets of roles; a peer without any isn't let in, and would be refused here as well.
        for bits in UInt8(0)...RoleSet.all.rawValue {
            let roles = RoleSet(rawValue: bits).roles
            for line in AccessExpectations.lines {
                for principal in Self.principals {
                    let answer = await refusal(line.path, roles: roles, as: principal == .anyone ? nil : principal)
                    #expect(
                        answer == line.refusal(roles: roles, principal: principal.kind),
                        "\(line.path) \(RoleSet(roles).label) \(principal.kind.rawValue)")
                }
            }
        }
    }

    @Test("every method answers every role and principal as its .proto says")
    func everyCell() async throws {
        let reading = try ContractReading()
        #expect(reading.methods.count >= 36)
        #expect(Set(reading.methods.map(\.path)) == Set(AccessTable.rules.keys))
        for method in reading.methods {
            for role in PeerRole.allCases {
                for principal in Self.principals {
                    let answer = await refusal(
                        method.path, roles: [role], as: principal == .anyone ? nil : principal)
                    #expect(
                        answer == expectation(method.grants, role, principal),
                        "\(method.path) \(role.rawValue) \(principal.kind.rawValue)")
                }
            }
        }
    }

    private static let retention = "/samtal.retention.v1.RetentionService/"
    private static let identity = "/samtal.identity.v1.IdentityService/"
    private static let chat = "/samtal.chat.v1.ChatService/"

    @Test(
        "only another service gets at keys and whole logs",
        arguments: [
            retention + "OpenSession", retention + "GetSessionKey", retention + "EndSession",
            retention + "BeginKeyChange", retention + "FinishKeyChange", retention + "WithdrawSession",
            chat + "ReadSessionLog", chat + "EraseSessionContent",
        ])
    func servicesOnly(path: String) async {
        for role in [PeerRole.gateway, .operator, .backend] {
            for principal in [nil, someParticipant, someAdministrator] {
                #expect(await refusal(path, roles: [role], as: principal) == "ROLE_NOT_ALLOWED")
            }
        }
        #expect(await refusal(path, roles: [.service]) == nil)
    }

    @Test(
        "only the operator registers organisations and agreements",
        arguments: [
            identity + "CreateOrganisation", identity + "ListOrganisations", retention + "RecordAgreement",
        ])
    func operatorOnly(path: String) async {
        for role in [PeerRole.gateway, .service, .backend] {
            #expect(await refusal(path, roles: [role], as: someAdministrator) == "ROLE_NOT_ALLOWED")
        }
        #expect(await refusal(path, roles: [.operator]) == nil)
    }

    @Test("the operator does not sign in, whoever's token comes with it", arguments: ["SignIn", "RefreshTokens"])
    func operatorSignsInNowhere(method: String) async {
        for principal in [nil, someParticipant, someAdministrator] {
            #expect(await refusal(Self.identity + method, roles: [.operator], as: principal) == "ROLE_NOT_ALLOWED")
            #expect(await refusal(Self.identity + method, roles: [.gateway], as: principal) == nil)
        }
    }

    @Test(
        "through the gateway, what an administrator does needs an administrator's token",
        arguments: [
            retention + "EraseSession", retention + "ExportSession", retention + "SetPolicy",
            retention + "PreviewPolicy", retention + "PreviewAgreement", retention + "ConfirmAgreement",
            retention + "ListCertificates", identity + "AddAdministrator", identity + "ListAdministrators",
            chat + "CreateSession", chat + "ListSessions", chat + "EndSession", chat + "PublishQuestion",
            chat + "RejectQuestion", chat + "AnswerQuestion",
        ])
    func administratorsOnly(path: String) async {
        for role in [PeerRole.gateway, .backend] {
            #expect(await refusal(path, roles: [role]) == "TOKEN_REQUIRED")
            #expect(await refusal(path, roles: [role], as: someParticipant) == "PRINCIPAL_NOT_ALLOWED")
            #expect(await refusal(path, roles: [role], as: someAdministrator) == nil)
        }
    }

    @Test("a question is asked by a participant and nobody else")
    func asking() async {
        let path = Self.chat + "AskQuestion"
        #expect(await refusal(path, roles: [.gateway]) == "TOKEN_REQUIRED")
        #expect(await refusal(path, roles: [.gateway], as: someAdministrator) == "PRINCIPAL_NOT_ALLOWED")
        #expect(await refusal(path, roles: [.gateway], as: someParticipant) == nil)
        #expect(await refusal(path, roles: [.service], as: someParticipant) == "ROLE_NOT_ALLOWED")
    }

    @Test("a method without a rule is refused to everybody")
    func defaultDeny() async {
        for path in ["/samtal.chat.v1.ChatService/Nothing", "/grpc.health.v2.Health/Check", "/other.Service/Do"] {
            #expect(await refusal(path, roles: Set(PeerRole.allCases), as: someAdministrator) == "METHOD_NOT_ALLOWED")
        }
    }

    @Test(
        "every accepted peer may ask for health and reflection",
        arguments: [
            "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        ])
    func open(path: String) async {
        for role in PeerRole.allCases { #expect(await refusal(path, roles: [role]) == nil) }
    }
}
