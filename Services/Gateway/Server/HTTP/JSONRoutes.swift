internal import Contracts
internal import GatewayCore
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import ServiceKit

/// The JSON API: each route of the contract, carried to the service that owns the method.
struct JSONRoutes: Sendable {
    /// What a request's verb and path lead to.
    struct Found: Sendable {
        var route: HTTPRoute
        /// The values in the path.
        var fields: [Query.Field]
    }

    let neighbours: Neighbours
    let hub: FeedHub
    let gates: CallGates
    let addresses: ClientAddresses
    private let table: RouteTable<HTTPRoute>

    /// - Throws: INTERNAL if two routes of the contract are the same, or one is malformed.
    init(
        neighbours: Neighbours, hub: FeedHub, gates: CallGates, addresses: ClientAddresses,
        routes: [HTTPRoute] = HTTPRoutes.all
    ) throws(RPCError) {
        self.neighbours = neighbours
        self.hub = hub
        self.gates = gates
        self.addresses = addresses
        var table = RouteTable<HTTPRoute>()
        for route in routes {
            guard table.add(verb: route.verb, path: route.path, target: route) else {
                throw RPCError(.internal, "route \(route.verb) \(route.path) can't be served")
            }
        }
        self.table = table
    }

    func find(verb: String, path: String) throws(Refusal) -> Found {
        // HEAD is GET without the body. What has no end has no HEAD either.
        let isHead = verb == "HEAD"
        switch table.match(verb: isHead ? "GET" : verb, path: path) {
        case .found(let route, let fields) where !isHead || route.stream == nil:
            return Found(route: route, fields: fields)
        case .found, .otherVerbs: throw .verbNotAllowed(verbs(at: path))
        case .unknown: throw .unknownPath
        }
    }

    /// The methods that a path has, in alphabetical order; none if there is nothing at it.
    func verbs(at path: String) -> [String] {
        let found = table.all(at: path)
        guard !found.isEmpty else { return [] }
        let hasHead = found.contains { $0.verb == "GET" && $0.target.stream == nil }
        return Set(found.map(\.verb) + (hasHead ? ["HEAD", "OPTIONS"] : ["OPTIONS"])).sorted()
    }

    func respond(to request: Request, by found: Found, on channel: any Channel) async throws -> Response {
        switch found.route.stream {
        case nil: return try await callResponse(to: request, by: found, on: channel)
        case .file: return try await fileResponse(to: request, by: found)
        case .events: return try await eventsResponse(to: request, by: found, on: channel)
        }
    }

    /// One request, one answer. It is in flight until the answer is on its way.
    private func callResponse(to request: Request, by found: Found, on channel: any Channel) async throws -> Response {
        let route = found.route
        let message = try await encodedRequest(from: request, by: found)
        let gate = try gates.gate(to: route.service, for: route.method)
        let source = gates.source(of: addresses.client(of: request, on: channel), token: request.token)
        let place = try gate.place(for: source)
        let options = CallOptions(metadata: request.tokens, timeout: route.method.defaultDeadline)
        let json = try await gate.inTurn(of: source, options: options) { options in
            // Whoever asked may have gone while the call waited.
            guard channel.isActive else { throw ChannelError.alreadyClosed }
            let answer = try await neighbours.channel(to: route.service, for: route.method).rawUnary(
                route.method, message, options: options)
            return try Self.json(of: answer, by: route)
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(contentLength: json.readableBytes) { writer in
                defer { place.giveBack() }
                try await writer.write(json)
                try await writer.finish(nil)
            })
    }

    private static func json(of answer: ByteBuffer, by route: HTTPRoute) throws(RPCError) -> ByteBuffer {
        do throws(ProtobufError) {
            return ByteBuffer(bytes: try route.response.json(fromSerialized: Array(answer.readableBytesView)))
        } catch {
            throw RPCError(.internal, "\(route.service) gave an answer that can't be read", reason: "MALFORMED_ANSWER")
        }
    }

    /// The request message: the body's JSON, with the fields from the path and, for GET, the query put in.
    func encodedRequest(from request: Request, by found: Found) async throws -> ByteBuffer {
        let method = found.route.method
        let body = try await body(of: request, limit: method.maxRequestBytes * 2)
        var overrides: [(field: String, value: String)] = []
        if request.isReading { overrides += try query(of: request, besides: found.fields).pairs }
        overrides += found.fields.map { ($0.name, $0.value) }
        let message: [UInt8]
        do throws(ProtobufError) {
            message = try found.route.request.serialized(fromJSON: body, overrides: overrides)
        } catch {
            guard !error.field.isEmpty else {
                throw RPCError(.invalidArgument, "body: \(error.reason)", reason: "MALFORMED_REQUEST")
            }
            throw RPCError.invalid(error.field, error.reason)
        }
        guard message.count <= method.maxRequestBytes else { throw Refusal.tooLarge(limit: method.maxRequestBytes) }
        return ByteBuffer(bytes: message)
    }

    /// The JSON that came, or `{}` if nothing did. A GET has no body.
    private func body(of request: Request, limit: Int) async throws -> [UInt8] {
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        let hasBody = length > 0 || request.headers[.transferEncoding] != nil
        guard hasBody else { return Array("{}".utf8) }
        guard !request.isReading else { throw Refusal.invalid("body", "is not expected") }
        try requireJSON(request)
        guard length <= limit else { throw Refusal.tooLarge(limit: limit) }
        do {
            let buffer = try await request.body.collect(upTo: limit)
            return buffer.readableBytes == 0 ? Array("{}".utf8) : Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Refusal.tooLarge(limit: limit)
        }
    }

    private func requireJSON(_ request: Request) throws(Refusal) {
        let coding = request.headers[.contentEncoding]?.trimmingSpace().lowercased() ?? ""
        guard coding.isEmpty || coding == "identity" else { throw .encoded }
        switch MediaType.suitability(ofContentType: request.headers[.contentType]) {
        case .suitable: break
        case .notJSON: throw .notJSON
        case .notUTF8: throw .notUTF8
        }
    }

    /// - Parameter pathFields: what the path has said the query must not say again.
    func query(of request: Request, besides pathFields: [Query.Field]) throws(Refusal) -> Query {
        guard let query = Query(request.uri.query ?? "") else { throw .invalid("query", "is malformed") }
        for field in pathFields where query[field.name] != nil { throw .invalid(field.name, "is in the path already") }
        return query
    }
}

extension Query {
    var pairs: [(field: String, value: String)] { fields.map { ($0.name, $0.value) } }
}

extension Request {
    /// The tokens that the request was made with, as metadata: all that goes on of its headers.
    var tokens: Metadata {
        var metadata: Metadata = [:]
        if let value = headers[.authorization] { metadata.add(TokenHeader.authorization.metadata, value) }
        if let value = headers[.samtalParticipant] { metadata.add(TokenHeader.participant.metadata, value) }
        return metadata
    }

    /// The token that the request is made with, for telling callers apart; nil without one.
    var token: String? { headers[.authorization] ?? headers[.samtalParticipant] }

    /// GET, or HEAD, which is answered alike.
    var isReading: Bool { method == .get || method == .head }

    var hasTokens: Bool { headers[.authorization] != nil || headers[.samtalParticipant] != nil }
}
