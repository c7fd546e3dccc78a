internal import Contracts
internal import Crypto
internal import GatewayCore
internal import HTTPTypes
package import Hummingbird
package import Logging
internal import NIOCore
internal import NIOHTTP1
package import RPC
internal import Synchronization

/// Answers every HTTP request: a page, the gateway's health, or a call to one of the services.
package struct GatewayResponder: HTTPResponder {
    package typealias Context = GatewayRequestContext

    private let neighbours: Neighbours
    private let pages: Pages
    private let routes: JSONRoutes
    private let admission: Admission
    private let securityHeaders: [(name: HTTPField.Name, value: String)]
    private let logger: Logger

    package init(
        configuration: GatewayConfiguration, neighbours: Neighbours, hub: FeedHub, logger: Logger
    ) throws(RPCError) {
        self.neighbours = neighbours
        self.logger = logger
        pages = Pages(publicURL: configuration.publicURL)
        routes = try JSONRoutes(
            neighbours: neighbours, hub: hub,
            addresses: ClientAddresses(trustedProxies: configuration.trustedProxies))
        admission = Admission(configuration: configuration)
        securityHeaders = ResponseHeaders.security(isSecure: configuration.isSecure).compactMap { header in
            HTTPField.Name(header.name).map { ($0, header.value) }
        }
    }

    package func respond(to request: Request, context: GatewayRequestContext) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context: context)
        } catch let refusal as Refusal {
            response = refusal.response
        } catch let error as RPCError {
            response = Refusal(error).response
        } catch let error as HTTPParserError {
            throw error  // the server answers 400 and closes
        } catch {
            logger.error("request failed", metadata: ["error_type": "\(type(of: error))"])
            response = Refusal.internalError.response
        }
        for (name, value) in securityHeaders { response.headers[name] = value }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request, context: GatewayRequestContext) async throws -> Response {
        let path = request.uri.path
        if path.hasPrefix("/v1/") {
            let found = Result { () throws(Refusal) in try routes.find(verb: request.method.rawValue, path: path) }
            // What leads nowhere counts too.
            try admission.admit(request, to: (try? found.get())?.route.method, on: context.channel)
            return try await routes.respond(to: request, by: found.get(), on: context.channel)
        }
        try admission.admit(request, to: nil, on: context.channel)
        if path == "/healthz" {
            try requireReading(request)
            return await healthResponse()
        }
        guard let file = pages.file(at: path) else { throw Refusal.unknownPath }
        try requireReading(request)
        return pages.response(with: file, to: request)
    }

    private func requireReading(_ request: Request) throws(Refusal) {
        guard request.method == .get || request.method == .head else { throw .verbNotAllowed(["GET", "HEAD"]) }
    }

    /// The gateway lives, or it would not answer; its neighbours are told of besides.
    private func healthResponse() async -> Response {
        let neighbours = await neighbours.health().map { neighbour in
            "\(JSONText.quoted(neighbour.name)):\(neighbour.isServing ? "\"serving\"" : "\"unreachable\"")"
        }
        let json = "{\"status\":\"serving\",\"neighbours\":{\(neighbours.joined(separator: ","))}}"
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
    }
}

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
        addresses = ClientAddresses(trustedProxies: configuration.trustedProxies)
    }

    /// - Parameter method: what is called; nil for a page.
    func admit(_ request: Request, to method: MethodDescriptor?, on channel: any Channel) throws(Refusal) {
        let isRead = request.method == .get || request.method == .head
        let activity = method.flatMap { Self.activities[$0.path] } ?? (isRead ? .read : .write)
        let client = addresses.client(of: request, on: channel)
        let decision = limiter.state.withLock { $0.take(activity, by: client, now: .now) }
        if case .refused(let wait) = decision { throw .tooOften(retryAfter: wait) }
    }
}
