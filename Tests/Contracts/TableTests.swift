import Contracts
import RPC
import Testing

@Suite("The generated tables")
struct TableTests {
    private let methods =
        IdentityV1.IdentityServiceMethods.all + ChatV1.ChatServiceMethods.all + RetentionV1.RetentionServiceMethods.all
        + DeploymentV1.DeploymentServiceMethods.all + ClockV1.ClockServiceMethods.all
        + BackupV1.BackupServiceMethods.all

    @Test("every method is in the access table, and nothing else is")
    func accessIsComplete() {
        #expect(Set(methods.map(\.path)) == Set(AccessTable.rules.keys))
        for rule in AccessTable.rules.values {
            #expect(!rule.grants.isEmpty)
            #expect(rule.grants.allSatisfy { !$0.principals.isEmpty })
        }
    }

    @Test("only a participant asks, through the gateway or a backend")
    func askQuestion() throws {
        let rule = try #require(AccessTable.rules["/samtal.chat.v1.ChatService/AskQuestion"])
        #expect(rule.admits(roles: [.gateway], principal: .participant))
        #expect(rule.admits(roles: [.service, .backend], principal: .participant))
        #expect(!rule.admits(roles: [.gateway], principal: .anyone))
        #expect(!rule.admits(roles: [.gateway], principal: .administrator))
        #expect(!rule.admits(roles: [.operator, .service], principal: .participant))
        #expect(!rule.admits(roles: [], principal: .participant))
    }

    @Test("session keys go to services alone")
    func sessionKeys() throws {
        for method in [
            RetentionV1.RetentionServiceMethods.openSession, RetentionV1.RetentionServiceMethods.getSessionKey,
            RetentionV1.RetentionServiceMethods.beginKeyChange, RetentionV1.RetentionServiceMethods.finishKeyChange,
            RetentionV1.RetentionServiceMethods.withdrawSession,
        ] {
            let rule = try #require(AccessTable.rules[method.path])
            for role in PeerRole.allCases {
                for principal in PrincipalKind.allCases {
                    #expect(rule.admits(roles: [role], principal: principal) == (role == .service))
                }
            }
        }
    }

    @Test("a grant to anyone admits also who shows a token")
    func anyone() {
        let rule = AccessRule(grants: [Grant(role: .gateway, principals: [.anyone])])
        #expect(rule.admits(roles: [.gateway], principal: .administrator))
        #expect(!AccessRule(grants: []).admits(roles: Set(PeerRole.allCases), principal: .administrator))
    }

    @Test("methods carry their limits")
    func limits() {
        #expect(ChatV1.ChatServiceMethods.askQuestion.maxRequestBytes == 16_384)
        #expect(ChatV1.ChatServiceMethods.getSession.maxRequestBytes == 4096)
        #expect(ChatV1.ChatServiceMethods.getSession.defaultDeadline == .seconds(10))
        #expect(ChatV1.ChatServiceMethods.watchSession.defaultDeadline == nil)
        #expect(ChatV1.ChatServiceMethods.watchSession.kind == .serverStreaming)
        #expect(RetentionV1.RetentionServiceMethods.eraseSession.defaultDeadline == .seconds(600))
        #expect(ChatV1.ChatServiceMethods.askQuestion.idempotent)
        #expect(!ChatV1.ChatServiceMethods.createSession.idempotent)
    }

    @Test("routes lead to methods of their service, with its messages")
    func routes() throws {
        for route in HTTPRoutes.all {
            #expect(methods.contains(route.method))
            #expect(route.method.path.hasPrefix("/samtal.\(route.service).v1."))
            #expect((route.stream != nil) == (route.method.kind == .serverStreaming))
        }
        let watch = try #require(HTTPRoutes.all.first { $0.method == ChatV1.ChatServiceMethods.watchSession })
        #expect(watch.verb == "GET" && watch.path == "/v1/sessions/{session_id}/events")
        #expect(watch.stream == .events)
        #expect(watch.request == ChatV1.WatchSessionRequest.descriptor)
        #expect(watch.response == ChatV1.SessionEvent.descriptor)
        #expect(!HTTPRoutes.all.contains { $0.method == RetentionV1.RetentionServiceMethods.getSessionKey })
    }
}
