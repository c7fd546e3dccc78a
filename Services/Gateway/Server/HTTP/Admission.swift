internal import Contracts
internal import GatewayCore
internal import Hummingbird
internal import NIOCore
internal import RPC
internal import Synchronization

/// Lets requests in, or tells clients that they come too often.
struct Admission: Sendable {
    private final class Limiter: Sendable {
        let state: Mutex<RateLimiter>

        init(_ limiter: sending RateLimiter) { state = Mutex(limiter) }
    }

    private static let activities: [String: RateLimiter.Activity] = [
        ChatV1.ChatServiceMethods.joinSession.path: .join,
        ChatV1.ChatServiceMethods.askQuestion.path: .ask,
        IdentityV1.IdentityServiceMethods.signIn.path: .signIn,
        IdentityV1.IdentityServiceMethods.refreshTokens.path: .refresh,
    ]

    private let limiter: Limiter
    private let addresses: ClientAddresses

    init(configuration: GatewayConfiguration) {
        limiter = Limiter(RateLimiter(rules: configuration.rateRules, now: .now))
        addresses = ClientAddresses(configuration)
    }

    /// - Parameter method: what is called; nil for a page.
    func admit(_ request: Request, to method: MethodDescriptor?, on channel: any Channel) throws(Refusal) {
        let isRead = request.isReading || request.method == .options
        let activity = method.flatMap { Self.activities[$0.path] } ?? (isRead ? .read : .write)
        let client = addresses.client(of: request, on: channel)
        let decision = limiter.state.withLock { $0.take(activity, by: client, now: .now) }
        if case .refused(let wait) = decision { throw .tooOften(retryAfter: wait) }
    }
}
