internal import Contracts
internal import GatewayCore
internal import HTTPTypes
package import Hummingbird
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import RPC

/// Answers every HTTP request: a page, the gateway's health, or a call to one of the services.
package struct GatewayResponder: HTTPResponder {
    package typealias Context = GatewayRequestContext

    private let neighbours: Neighbours
    private let regions: KnownRegions
    private let pages: Pages
    private let routes: JSONRoutes
    private let admission: Admission
    private let answers: ErrorAnswers
    private let logger: Logger

    init(
        configuration: GatewayConfiguration, neighbours: Neighbours, regions: KnownRegions, hub: FeedHub,
        gates: CallGates, answers: ErrorAnswers, logger: Logger
    ) throws(RPCError) {
        self.answers = answers
        self.neighbours = neighbours
        self.logger = logger
        self.regions = regions
        pages = Pages(configuration: configuration, regions: regions)
        routes = try JSONRoutes(
            neighbours: neighbours, hub: hub, gates: gates,
            addresses: ClientAddresses(configuration))
        admission = Admission(configuration: configuration)
    }

    package func respond(to request: Request, context: GatewayRequestContext) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context: context)
            answers.secure(&response.headers)
        } catch let refusal as Refusal {
            response = answers.answer(refusal, to: .init(request)).response
        } catch let error as RPCError {
            response = answers.answer(Refusal(error), to: .init(request)).response
        } catch let error as HTTPParserError {
            throw error  // the server answers 400 and closes
        } catch {
            logger.error("request failed", metadata: ["error_type": "\(type(of: error))"])
            response = answers.answer(.internalError, to: .init(request)).response
        }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request, context: GatewayRequestContext) async throws -> Response {
        let path = request.uri.path
        var request = request
        if request.headers[.expect] != nil {
            request.body = RequestBody(asyncSequence: AwaitedBody(base: request.body, channel: context.channel))
        }
        if request.method == .options { return try options(request, on: context.channel) }
        if path.hasPrefix("/v1/") {
            let found = Result { () throws(Refusal) in try routes.find(verb: request.method.rawValue, path: path) }
            // What leads nowhere counts too.
            try admission.admit(request, to: (try? found.get())?.route.method, on: context.channel)
            // Nothing here has an entity tag, so a request that is for one is for another version than there is.
            if let condition = request.tags(in: .ifMatch), condition != .any { throw Refusal.preconditionFailed }
            return try await routes.respond(to: request, by: found.get(), on: context.channel)
        }
        try admission.admit(request, to: nil, on: context.channel)
        if path == "/healthz" {
            try requireReading(request)
            return await healthResponse()
        }
        guard let file = pages.file(at: path) else { return try redirect(request) }
        try requireReading(request)
        return try pages.response(with: file, to: request)
    }

    private static let pageVerbs = ["GET", "HEAD", "OPTIONS"]

    private func requireReading(_ request: Request) throws(Refusal) {
        guard request.isReading else { throw .verbNotAllowed(Self.pageVerbs) }
    }

    /// To the page without a slash at its end; its query goes along.
    private func redirect(_ request: Request) throws(Refusal) -> Response {
        guard let path = pages.path(withoutSlashOf: request.uri.path) else { throw .unknownPath }
        try requireReading(request)
        let query = request.uri.query.map { "?\($0)" } ?? ""
        return Response(
            status: .permanentRedirect, headers: [.location: path + query, .cacheControl: "no-store"])
    }

    /// What may be done with a path, or with any.
    private func options(_ request: Request, on channel: any Channel) throws(Refusal) -> Response {
        try admission.admit(request, to: nil, on: channel)
        let path = request.uri.path
        var verbs = routes.verbs(at: path)
        if request.uri.string == "*" { verbs = RequestHead.methods.sorted() }
        if path == "/healthz" || pages.file(at: path) != nil { verbs = Self.pageVerbs }
        guard !verbs.isEmpty else { throw .unknownPath }
        var response = Response(
            status: .noContent, headers: [.allow: verbs.joined(separator: ", "), .cacheControl: "no-store"])
        response.headers[.contentLength] = nil
        return response
    }

    /// The gateway lives, or it would not answer; its neighbours are told of besides.
    private func healthResponse() async -> Response {
        let reports = await neighbours.health()
        func object(_ value: (Neighbours.Report) -> String) -> String {
            "{" + reports.map { "\(JSONText.quoted($0.name)):\(JSONText.quoted(value($0)))" }.joined(separator: ",")
                + "}"
        }
        let json =
            "{\"status\":\"serving\",\"neighbours\":\(object { $0.health.rawValue }),"
            + "\"clocks\":\(object { $0.clock.rawValue }),"
            + "\"declaredRegions\":\(regions.json)}"
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
    }
}

/// The body of a request that waits to be told to send it: it is told when somebody begins to read.
private struct AwaitedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let base: RequestBody
    let channel: any Channel

    func makeAsyncIterator() -> RequestBody.AsyncIterator {
        channel.eventLoop.execute { RequestGate.takeBody(on: channel) }
        return base.makeAsyncIterator()
    }
}
