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
    /// Of these, with one token.
    static let streamsOfToken = Bound("forwarded-streams-of-token", most: 150, whenCrowded: 20)
    /// For one process.
    static let streamsOfProcess = Bound("forwarded-streams-of-process", most: 300, whenCrowded: 50)
    /// For all processes of one user: a process may start others.
    static let streamsOfUser = Bound("forwarded-streams-of-user", most: 600, whenCrowded: 100)

    /// The names of the bounds on streams.
    static let bounds = [streams, streamsOfToken, streamsOfProcess, streamsOfUser].map(\.name)

    package static func handlers(
        to neighbours: Neighbours, gates: CallGates, refusals: Refusals
    ) throws(RPCError) -> [MethodHandler] {
        let places = Places(all: streams, refusals: refusals)
        var handlers: [MethodHandler] = []
        for (name, methods) in services {
            for method in methods {
                let channel = try neighbours.channel(to: name, for: method)
                if method.kind == .unary {
                    let gate = try gates.gate(to: name, for: method)
                    handlers.append(unary(method, to: channel, through: gate, limits: gates.limits))
                } else {
                    handlers.append(streaming(method, to: channel, places))
                }
            }
        }
        return handlers
    }

    private static func unary(
        _ method: MethodDescriptor, to channel: RPCChannel, through gate: CallGate, limits: CallLimits
    ) -> MethodHandler {
        .rawUnary(method) { request, call in
            let source = CallSource(call, limits: limits)
            let place = try gate.place(for: source)
            defer { place.giveBack() }
            return try await gate.inTurn(of: source, options: options(from: call)) { options in
                try await channel.rawUnary(method, request, options: options)
            }
        }
    }

    private static func streaming(
        _ method: MethodDescriptor, to channel: RPCChannel, _ places: Places
    ) -> MethodHandler {
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
        let (user, process) = CallSource.names(of: call.peer)
        var accounts = TokenMark.of(call).map { [Places.Account(streamsOfToken, of: $0)] } ?? []
        accounts += [.init(streamsOfProcess, of: process), .init(streamsOfUser, of: user)]
        do throws(BoundReached) {
            return try places.take(accounts)
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
