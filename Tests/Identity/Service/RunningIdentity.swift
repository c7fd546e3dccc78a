import Contracts
import Foundation
import IdentityCore
import IdentityServer
import Logging
import NIOPosix
import Privacy
import RPC
import ServiceKit
import Synchronization

/// The whole service on a real socket, as its executable runs it, but for the time.
struct RunningIdentity: Sendable {
    let client: IdentityV1.IdentityServiceClient
    let channel: RPCChannel
    let clock: ManualWallClock
    let logger: Logger
    /// Those who have signed in, the latest last.
    private let signIns = SignIns()

    private final class SignIns: Sendable {
        let all = Mutex<[IdentityV1.SignInResponse]>([])
    }

    /// Runs the service on `folder` while `body` runs, then drains it. The test's own user has every role.
    static func with<Value>(
        folder: TemporaryFolder, clock: ManualWallClock = ManualWallClock(Date()), log: LogCapture = LogCapture(),
        metrics: MetricsRegistry? = nil, limits: IdentityLimits = IdentityLimits(),
        _ body: (RunningIdentity) async throws -> Value
    ) async throws -> Value {
        let logger = log.logger()
        let socket = folder.path + "/identity.sock"
        let group = MultiThreadedEventLoopGroup.singleton
        let parts = try await Identity.start(
            folder: folder.path + "/identity", clock: clock, logger: logger, metrics: metrics,
            limits: limits)
        let server = RPCServer(
            configuration: .init(socketPath: socket), handlers: parts.handlers,
            interceptors: InterceptorChain.standard(
                service: "identity", authenticators: parts.authenticators,
                peers: PeerRoles([geteuid(): Set(PeerRole.allCases)]), logger: logger),
            health: HealthService(), logger: logger, group: group)
        try await server.start()
        async let running: Void = server.run()
        let channel = RPCChannel(socketPath: socket, name: "identity", group: group, logger: logger)
        let identity = RunningIdentity(
            client: .init(channel: channel), channel: channel, clock: clock, logger: logger)

        let result: Result<Value, any Error>
        do { result = .success(try await body(identity)) } catch { result = .failure(error) }
        await channel.close()
        await server.shutDown()
        try await running
        await parts.onStop()
        return try result.get()
    }

    /// The same in a folder of its own.
    static func with(
        limits: IdentityLimits = IdentityLimits(), _ body: (RunningIdentity) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { try await with(folder: $0, limits: limits, body) }
    }
}

extension RunningIdentity {
    /// Calls as a process does that has the operator's role and no other.
    static var asOperator: CallOptions { CallOptions(metadata: ["samtal-role": "operator"], timeout: .seconds(20)) }
    /// Calls as the gateway does for a browser that isn't signed in.
    static var asGateway: CallOptions { CallOptions(metadata: ["samtal-role": "gateway"], timeout: .seconds(20)) }

    /// Calls as the gateway does for an administrator.
    static func asAdministrator(_ signedIn: IdentityV1.SignInResponse) -> CallOptions {
        CallOptions(
            metadata: ["samtal-role": "gateway", "authorization": "Bearer \(signedIn.accessToken)"],
            timeout: .seconds(20))
    }

    func organisation(_ name: String = "Example News") async throws -> IdentityV1.Organisation {
        try await client.createOrganisation(.init(displayName: name), options: Self.asOperator)
    }

    func administrator(
        _ email: String = "karin@example.se", name: String = "Karin Berg", of organisation: IdentityV1.Organisation
    ) async throws -> IdentityV1.Administrator {
        try await asWhoeverMay { options in
            try await client.addAdministrator(
                .init(organisationID: organisation.organisationID, email: email, displayName: name), options: options)
        }
    }

    func code(for email: String) async throws -> String {
        try await asWhoeverMay { options in
            try await client.createSignInCode(.init(email: email), options: options).code
        }
    }

    /// As the operator, and where the administrators alone may, as one of those who have signed in.
    func asWhoeverMay<Value>(_ call: (CallOptions) async throws -> Value) async throws -> Value {
        do {
            return try await call(Self.asOperator)
        } catch let refused as RPCError where refused.reason == "ADMINISTRATORS_ONLY" {
            for signedIn in signIns.all.withLock({ $0.reversed() }) {
                do {
                    return try await call(Self.asAdministrator(signedIn))
                } catch let error as RPCError where [.notFound, .unauthenticated].contains(error.code) {
                    // Of another organisation, or signed out.
                }
            }
            throw refused
        }
    }

    func signIn(_ code: String) async throws -> IdentityV1.SignInResponse {
        let signedIn = try await client.signIn(.init(code: code), options: Self.asGateway)
        signIns.all.withLock { $0.append(signedIn) }
        return signedIn
    }

    func refresh(_ token: String) async throws -> IdentityV1.SignInResponse {
        let signedIn = try await client.refreshTokens(.init(refreshToken: token), options: Self.asGateway)
        signIns.all.withLock { $0.append(signedIn) }
        return signedIn
    }

    /// The same sign-in, with an access token of now.
    func refreshed(_ signedIn: IdentityV1.SignInResponse) async throws -> IdentityV1.SignInResponse {
        try await refresh(signedIn.refreshToken)
    }

    /// A new organisation's administrator, signed in.
    func signedIn(_ email: String = "karin@example.se", organisation name: String = "Example News") async throws
        -> IdentityV1.SignInResponse
    {
        _ = try await administrator(email, of: organisation(name))
        return try await signIn(code(for: email))
    }
}

/// A refusal as the caller sees it.
struct Refusal: Equatable, CustomStringConvertible {
    var code: RPCError.Code
    var reason: String
    var field: String?

    var description: String { "\(code) \(reason) \(field ?? "")" }

    static func invalid(_ field: String) -> Refusal {
        Refusal(code: .invalidArgument, reason: "INVALID_FIELD", field: field)
    }
    static let organisationNotFound = Refusal(code: .notFound, reason: "ORGANISATION_NOT_FOUND")
    static let codeInvalid = Refusal(code: .unauthenticated, reason: "SIGN_IN_CODE_INVALID")
    static let refreshTokenInvalid = Refusal(code: .unauthenticated, reason: "REFRESH_TOKEN_INVALID")
}

/// How a call was refused; nil if it was answered.
func refusal(_ call: () async throws -> some Sendable) async throws -> Refusal? {
    do {
        _ = try await call()
        return nil
    } catch let error as RPCError {
        return Refusal(code: error.code, reason: error.reason, field: error.fields.first?.field)
    }
}
