internal import Contracts
internal import NIOCore
package import RPC
package import ServiceKit

/// The gateway's own gRPC socket: every method of the three services, passed on as the bytes it came in.
///
/// The caller's role is checked here. Its token is not: the service that answers has the keys for it, and answers a
/// gateway no more than a browser would get.
package enum Forwarding {
    static let services: [(name: String, methods: [MethodDescriptor])] = [
        ("identity", IdentityV1.IdentityServiceMethods.all),
        ("chat", ChatV1.ChatServiceMethods.all),
        ("retention", RetentionV1.RetentionServiceMethods.all),
    ]

    /// What whoever follows a session is told when the gateway stops, as by chat itself.
    private static let resume = RPCError(.outOfRange, "resume after the last sequence seen", reason: "RESUME")

    /// Streams that are passed on at the same time.
    static let streams = Bound("forwarded-streams", most: 900)
    /// Of these, for one process.
    static let streamsOfProcess = Bound("forwarded-streams-of-process", most: 300, whenCrowded: 50)

    /// The names of all bounds.
    package static let bounds = [streams.name, streamsOfProcess.name]

    package static func handlers(
        to neighbours: Neighbours, refusals: Refusals
    ) throws(RPCError) -> [MethodHandler] {
        let places = Places(all: streams, refusals: refusals)
        var handlers: [MethodHandler] = []
        for (name, methods) in services {
            for method in methods {
                handlers.append(handler(of: method, to: try neighbours.channel(to: name, for: method), places))
            }
        }
        return handlers
    }

    private static func handler(
        of method: MethodDescriptor, to channel: RPCChannel, _ places: Places
    ) -> MethodHandler {
        guard method.kind == .serverStreaming else {
            return .rawUnary(method) { request, call in
                try await channel.rawUnary(method, request, options: options(from: call))
            }
        }
        let handler = MethodHandler.rawServerStreaming(method) { request, writer, call in
            let place = try place(for: call, in: places)
            defer { place.giveBack() }
            for try await message in channel.rawServerStreaming(method, request, options: options(from: call)) {
                try await writer.send(message)
            }
        }
        // A feed has no end of its own; logs and exports do, and may come to it.
        return method == ChatV1.ChatServiceMethods.watchSession ? handler.endingAtShutdown(with: resume) : handler
    }

    private static func place(for call: ServerCall, in places: Places) throws(RPCError) -> Places.Place {
        do throws(BoundReached) {
            return try places.take([.init(streamsOfProcess, of: String(call.peer.pid))])
        } catch {
            throw RPCError(
                error, "too many streams are passed on already", reason: "TOO_MANY_STREAMS", retryAfter: .seconds(5))
        }
    }

    /// The call's deadline and trace, and the tokens it was made with.
    private static func options(from call: ServerCall) -> CallOptions {
        var options = CallOptions.onward(from: call)
        for name in TokenHeader.all {
            if let value = call.metadata[first: name.metadata] { options.metadata.add(name.metadata, value) }
        }
        return options
    }
}

/// The headers that say on whose behalf a call is made; nothing else of a request's headers goes on to a service.
struct TokenHeader: Sendable {
    var metadata: String

    static let authorization = TokenHeader(metadata: "authorization")
    static let participant = TokenHeader(metadata: "samtal-participant")
    static let all = [authorization, participant]
}
