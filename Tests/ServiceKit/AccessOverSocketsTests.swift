import Contracts
import Foundation
import NIOCore
import NIOPosix
import RPC
import Testing

@testable import ServiceKit

/// The methods of all contracts.
let servedMethods =
    IdentityV1.IdentityServiceMethods.all + ChatV1.ChatServiceMethods.all + RetentionV1.RetentionServiceMethods.all
    + DeploymentV1.DeploymentServiceMethods.all + ClockV1.ClockServiceMethods.all
    + BackupV1.BackupServiceMethods.all

/// Takes a principal's kind as its token.
private struct NamedPrincipals: Authenticator {
    static let metadataName = "test-principal"

    func authenticate(_ call: ServerCall) async throws(RPCError) -> Principal? {
        switch call.metadata[first: Self.metadataName] {
        case "participant": someParticipant
        case "administrator": someAdministrator
        default: nil
        }
    }
}

/// What a caller meets at the end of a real socket: the runtime, the whole chain, and handlers that answer whoever gets
/// through to them.
@Suite("Access over sockets", .timeLimit(.minutes(2)))
struct AccessOverSocketsTests {
    private static let handlers = servedMethods.map { method -> MethodHandler in
        method.kind == .unary
            ? .rawUnary(method) { _, _ in ByteBuffer() } : .rawServerStreaming(method) { _, _, _ in }
    }

    private func reason(_ method: MethodDescriptor, _ principal: PrincipalKind, _ channel: RPCChannel) async throws
        -> String?
    {
        let options = CallOptions(
            metadata: [NamedPrincipals.metadataName: principal.rawValue], timeout: .seconds(30))
        do {
            if method.kind == .unary {
                _ = try await channel.rawUnary(method, ByteBuffer(), options: options)
            } else {
                for try await _ in channel.rawServerStreaming(method, ByteBuffer(), options: options) {}
            }
            return nil
        } catch let error as RPCError {
            return error.reason
        }
    }

    @Test("every method answers a process in each role, with each token, as is expected", arguments: PeerRole.allCases)
    func everyCell(role: PeerRole) async throws {
        #expect(servedMethods.allSatisfy { $0.kind == .unary || $0.kind == .serverStreaming })
        let interceptors = InterceptorChain.standard(
            service: "test", authenticators: [NamedPrincipals()], peers: PeerRoles([geteuid(): [role]]),
            logger: LogCollector().logger(), metrics: CallMetrics(methods: servedMethods))
        let expected = Dictionary(uniqueKeysWithValues: AccessExpectations.lines.map { ($0.path, $0) })
        try await TestServer.with(handlers: Self.handlers, interceptors: interceptors) { server in
            for method in servedMethods {
                let line = try #require(expected[method.path])
                for principal in PrincipalKind.allCases {
                    let answer = try await reason(method, principal, server.channel)
                    #expect(
                        answer == line.refusal(roles: [role], principal: principal),
                        "\(method.path) \(role.rawValue) \(principal.rawValue)")
                }
            }
            // Health is everybody's, and what has no rule is nobody's.
            _ = try await HealthV1.HealthClient(channel: server.channel).check(.init())
        }
    }

    @Test("a method that is served and has no rule is refused to everybody")
    func withoutRule() async throws {
        let method = method("/samtal.chat.v1.ChatService/Invented")
        let interceptors = InterceptorChain.standard(
            service: "test", authenticators: [NamedPrincipals()], peers: .ownUser(),
            logger: LogCollector().logger(), metrics: CallMetrics(methods: [method]))
        try await TestServer.with(
            handlers: [.rawUnary(method) { _, _ in ByteBuffer() }], interceptors: interceptors
        ) { server in
            let answer = try await reason(method, .administrator, server.channel)
            #expect(answer == "METHOD_NOT_ALLOWED")
        }
    }
}
