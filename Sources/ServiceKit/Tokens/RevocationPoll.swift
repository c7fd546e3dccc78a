internal import Contracts
public import Logging
public import RPC
public import ServiceLifecycle

/// Asks identity again and again which sign-ins were ended, for a service that verifies their access tokens by itself.
///
/// While identity can't be asked, what it said last holds. Nobody gets a new token then, and none lasts longer than ten
/// minutes. After a start nothing was said yet: until the first answer, calls with an administrator's token wait for it
/// briefly, and are then refused with UNAVAILABLE naming identity.
public struct RevocationPoll: Service {
    /// How long one question may take.
    static let timeout = Duration.seconds(2)
    /// Between two questions before the first answer.
    static let firstPause = Duration.milliseconds(100)

    private let identity: IdentityV1.IdentityServiceClient
    private let revoked: RevokedSignIns
    private let pause: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - channel: to identity.
    ///   - revoked: is told the answers.
    ///   - pause: between two questions: how long a token that was ended may go on working.
    public init(channel: RPCChannel, revoked: RevokedSignIns, pause: Duration = .seconds(2), logger: Logger) {
        identity = IdentityV1.IdentityServiceClient(channel: channel)
        self.revoked = revoked
        self.pause = pause
        self.logger = logger
    }

    public func run() async throws {
        var isAnswered = true
        while true {
            let answered = await ask()
            try Task.checkCancellation()
            if answered != isAnswered {
                isAnswered = answered
                if answered {
                    logger.notice("identity says again which sign-ins were ended")
                } else {
                    logger.warning("identity can't be asked which sign-ins were ended; what it said last holds")
                }
            }
            try await Task.sleep(for: revoked.isKnown ? pause : min(pause, Self.firstPause))
        }
    }

    private func ask() async -> Bool {
        do {
            let answer = try await identity.listRevokedSignIns(.init(), options: CallOptions(timeout: Self.timeout))
            revoked.replace(ids: answer.signInIDs, issuedUntil: answer.refuseIssuedUntil?.date)
            return true
        } catch {
            return false
        }
    }
}

/// What a service other than identity needs to recognise administrators.
public struct Administrators: Sendable {
    public let authenticator: AccessTokenAuthenticator
    /// Runs beside the service's server.
    public let revocations: RevocationPoll

    /// - Parameter channel: to identity.
    public init(identity channel: RPCChannel, logger: Logger) {
        let revoked = RevokedSignIns(isKnown: false)
        authenticator = AccessTokenAuthenticator(keys: IdentitySigningKeys(channel: channel), revoked: revoked)
        revocations = RevocationPoll(channel: channel, revoked: revoked, logger: logger)
    }
}
