internal import Contracts
internal import GatewayCore
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTPTypes
internal import Privacy
internal import RPC
internal import ServiceKit

extension JSONRoutes {
    /// Server-sent events. Whoever asks as anyone, for what anyone may see, follows the session's one shared feed; a
    /// request with a token, or for moderators, is a watch of its own.
    func eventsResponse(to request: Request, by found: Found, on channel: any Channel) async throws -> Response {
        guard let sessionID = found.fields.first?.value else { throw Refusal.unknownPath }
        var query = try query(of: request, besides: found.fields)
        let after = query.remove("after") ?? query.remove("position")
        let audience = query.remove("audience") ?? "PUBLIC"
        if let other = query.fields.first { throw Refusal.invalid(other.name, "is not a field of this method") }
        guard let point = ServerSentEvent.resumePoint(lastEventID: request.headers[.lastEventID], after: after)
        else { throw Refusal.invalid("position", "is none that an event had; leave it out to begin anew") }
        switch audience {
        case "PUBLIC" where !request.hasTokens:
            let client = addresses.client(of: request, on: channel)
            return try await sharedFeed(of: sessionID, after: point, from: client, on: channel)
        default:
            guard let audience = Self.audiences[audience] else {
                throw Refusal.invalid("audience", "is none of PUBLIC, AUTHOR and MODERATORS")
            }
            let watch = ChatV1.WatchSessionRequest(
                sessionID: sessionID, position: point.text, audience: audience)
            return try await ownFeed(watch, for: request, on: channel)
        }
    }

    private static let audiences: [String: ChatV1.Audience] = [
        "PUBLIC": .public, "AUTHOR": .author, "MODERATORS": .moderators,
    ]

    private static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-store",
        .accelBuffering: "no",  // a proxy that gathers answers would hold events back
    ]

    /// Events written at once while a follower is sent what it missed.
    private static let batch = 64

    private func sharedFeed(
        of sessionID: String, after point: ServerSentEvent.ResumePoint, from client: ClientAddress,
        on channel: any Channel
    ) async throws -> Response {
        let (missed, follower) = try await hub.join(sessionID, from: client, on: channel, after: point)
        let retry = ByteBuffer(bytes: ServerSentEvent.retry(hub.limits.retry))
        return Response(
            status: .ok, headers: Self.headers,
            body: ResponseBody { writer in
                try await writer.write(retry)
                for start in stride(from: 0, to: missed.count, by: Self.batch) {
                    try await writer.write(contentsOf: missed[start..<min(start + Self.batch, missed.count)])
                }
                guard try await follower.follow() == .finished else { throw ChannelError.alreadyClosed }
                try await writer.finish(nil)
            })
    }

    private func ownFeed(
        _ watch: ChatV1.WatchSessionRequest, for request: Request, on channel: any Channel
    ) async throws -> Response {
        let place = try await place(of: watch, for: request, on: channel)
        let events = PeekedStream(hub.watch(watch, options: CallOptions(metadata: request.tokens)))
        try await events.peek()
        let feed = OwnFeed(events: events, channel: channel, hub: hub, place: place)
        return Response(
            status: .ok, headers: Self.headers,
            body: ResponseBody { writer in
                try await feed.write()
                try await writer.finish(nil)
            })
    }
}

extension JSONRoutes {
    private func place(
        of watch: ChatV1.WatchSessionRequest, for request: Request, on channel: any Channel
    ) async throws(RPCError) -> Places.Place {
        let authorization = request.headers[.authorization]
        if watch.audience == .moderators {
            return try await hub.places.moderator(of: watch.sessionID, authorization: authorization ?? "")
        }
        let client = hub.places.marks(of: addresses.client(of: request, on: channel))
        let organisation = try await hub.organisation(of: watch.sessionID, for: client)
        return try hub.places.participant(
            of: watch.sessionID, organisation, token: request.headers[.samtalParticipant] ?? authorization ?? "",
            client: client)
    }
}

/// The feed of one follower with an authorisation of its own, straight from upstream: as fast as the browser reads and
/// no faster.
struct OwnFeed: Sendable {
    let events: PeekedStream<ResponseStream<ChatV1.SessionEvent>>
    let channel: any Channel
    let hub: FeedHub
    /// Held for as long as the follower counts.
    let place: Places.Place

    /// Returns when upstream ends, or the gateway stops; throws when the browser has gone.
    func write() async throws {
        channel.eventLoop.execute { ConnectionGuard.closeOnHangUp(of: channel) }
        try await send(ByteBuffer(bytes: ServerSentEvent.retry(hub.limits.retry)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await forward() }
            group.addTask { try await beat() }
            group.addTask { try await untilClosed() }
            // Its browser comes back to the gateway's next life by itself.
            group.addTask { await hub.untilStopped() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func forward() async throws {
        do {
            while let event = try await events.next() {
                switch FeedFrame(event) {
                case .event(let event, _, _): try await send(event.payload)
                case .caughtUp(let position): try await send(FeedFrame.caughtUpBuffer(position))
                case .reset: try await send(FeedFrame.resetBuffer)
                case .unknown: break
                }
            }
        } catch let error as RPCError where error.code == .notFound {
            try await send(FeedFrame.gone)
        } catch is RPCError {
            // The answer has begun, so it can't say why it ends. The browser comes back, and is told then.
        }
    }

    private func beat() async throws {
        while true {
            try await Task.sleep(for: hub.limits.heartbeat)
            try await send(FeedFrame.heartbeat)
        }
    }

    private func untilClosed() async throws {
        let (closed, close) = AsyncStream<Void>.makeStream()
        channel.closeFuture.whenComplete { _ in close.finish() }
        for await _ in closed {}
        throw ChannelError.alreadyClosed
    }

    private func send(_ buffer: ByteBuffer) async throws {
        try await channel.writeAndFlush(HTTPResponsePart.body(buffer))
    }
}

extension ServerSentEvent.ResumePoint {
    /// As a watch says it.
    fileprivate var text: String {
        switch self {
        case .beginning: ""
        case .after(let position): position.text
        }
    }
}

extension HTTPField.Name {
    fileprivate static let accelBuffering = Self("X-Accel-Buffering")!
}
