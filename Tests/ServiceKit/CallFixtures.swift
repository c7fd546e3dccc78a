import Contracts
import Logging
import RPC
import Synchronization

@testable import ServiceKit

/// Recognises whatever a test says.
struct FixedAuthenticator: Authenticator {
    var outcome: Result<Principal?, RPCError>

    init(_ principal: Principal?) { outcome = .success(principal) }
    init(failing error: RPCError) { outcome = .failure(error) }

    func authenticate(_ call: ServerCall) async throws(RPCError) -> Principal? { try outcome.get() }
}

/// The user id that peers have in these tests.
let testUID: UInt32 = 4711

let someAdministrator = Principal.administrator(id: "adm-1", organisationID: "org-1")
let someParticipant = Principal.participant(id: "par-1", sessionID: "ses-1", name: "Kim")

func method(_ path: String, kind: MethodDescriptor.Kind = .unary) -> MethodDescriptor {
    let parts = path.split(separator: "/").map(String.init)
    return MethodDescriptor(
        service: parts[0], method: parts[1], kind: kind, idempotent: false, maxRequestBytes: 4096, defaultDeadline: nil)
}

func call(_ path: String, metadata: Metadata = [:]) -> ServerCall {
    ServerCall(method: method(path), peer: Peer(uid: testUID, gid: 1, pid: 1), metadata: metadata)
}

func accessInterceptor(
    roles: Set<PeerRole>, _ authenticators: [any Authenticator] = [], scope: AccessScope = .rolesAndPrincipals
) -> AccessInterceptor {
    AccessInterceptor(
        table: CompiledAccessTable(AccessTable.rules), peers: PeerRoles([testUID: roles]),
        authenticators: authenticators, scope: scope)
}

/// How the interceptor answers: nil when the call may go on, else the reason it is refused with.
func refusal(
    _ path: String, roles: Set<PeerRole>, as principal: Principal? = nil, metadata: Metadata = [:]
) async -> String? {
    do {
        try await accessInterceptor(roles: roles, [FixedAuthenticator(principal)])
            .begin(call(path, metadata: metadata))
        return nil
    } catch {
        return error.reason
    }
}

/// Collects log lines.
final class LogCollector: Sendable {
    private let collected = Mutex<[String]>([])

    var lines: [String] { collected.withLock { $0 } }

    var output: LogOutput {
        LogOutput { line in
            let text = String(decoding: line, as: UTF8.self)
            self.collected.withLock { $0.append(text) }
        }
    }

    func logger(_ level: Logger.Level = .info) -> Logger {
        let handler = JSONLogHandler(service: "test", level: level, output: output)
        return Logger(label: "test") { _ in handler }
    }
}
