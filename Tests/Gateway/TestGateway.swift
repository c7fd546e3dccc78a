import Contracts
import Foundation
import GatewayCore
import GatewayServer
import Logging
import NIOCore
import NIOPosix
import Privacy
import RPC
import ServiceKit
import Synchronization
import Testing

/// A gateway over real HTTP, before real gRPC servers on sockets in a folder that is removed.
struct TestGateway: Sendable {
    let port: Int
    let chat: FakeChat
    let others: FakeOthers
    let folder: String
    let group: MultiThreadedEventLoopGroup
    let hub: FeedHub
    let gates: CallGates
    let metrics: MetricsRegistry
    /// What the HTTP side logs.
    let log: LogLines
    /// Where the processes declare that they keep data.
    let regions: KnownRegions

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// - Parameters:
    ///   - services: those that are up.
    ///   - peers: who may call the gateway's own socket.
    static func run(
        services: Set<String> = ["identity", "chat", "retention"], peers: PeerRoles = .ownUser(),
        configure: (inout GatewayConfiguration) -> Void = { _ in }, now: @escaping @Sendable () -> Date = { Date() },
        _ body: @escaping @Sendable (TestGateway) async throws -> Void
    ) async throws {
        let folder = "/tmp/samtal-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        var configuration = GatewayConfiguration()
        configuration.port = 0
        configure(&configuration)
        let (chat, others) = (FakeChat(), FakeOthers())
        let handlers = [
            "identity": others.identityHandlers, "chat": chat.handlers, "retention": others.retentionHandlers,
        ]
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for (name, handlers) in handlers where services.contains(name) {
                    try await serve(handlers, at: "\(folder)/\(name).sock", group: group, in: &tasks)
                }
                let neighbours = Neighbours { name, _ in
                    RPCChannel(socketPath: "\(folder)/\(name).sock", name: name, group: group, logger: quiet)
                }
                let chatChannels = (0..<3).map { _ in
                    RPCChannel(socketPath: "\(folder)/chat.sock", name: "chat", group: group, logger: quiet)
                }
                let metrics = MetricsRegistry()
                let refusals = Refusals(configuration.boundNames, in: metrics)
                let gates = CallGates(limits: configuration.calls, refusals: refusals)
                let hub = FeedHub(
                    chat: FeedChannels(
                        sessions: chatChannels[0], moderators: chatChannels[1], participants: [chatChannels[2]]),
                    limits: configuration.feed, refusals: refusals, recognise: administrator, now: now)
                try await serve(
                    try Forwarding.handlers(to: neighbours, gates: gates, refusals: refusals),
                    at: "\(folder)/gateway.sock",
                    group: group,
                    interceptors: InterceptorChain.standard(
                        service: "gateway", authenticators: [], peers: peers, logger: quiet, scope: .rolesOnly),
                    in: &tasks)
                let (ports, bound) = AsyncStream<Int>.makeStream()
                let log = LogLines()
                let regions = KnownRegions(own: try Region("se-stockholm-1"))
                let frontEnd = try HTTPFrontEnd(
                    configuration: configuration, neighbours: neighbours, regions: regions, hub: hub,
                    gates: gates, logger: log.logger, metrics: metrics, group: group
                ) { bound.yield($0) }
                tasks.addTask { try await frontEnd.run() }
                let port = try #require(await ports.first { _ in true })
                let gateway = TestGateway(
                    port: port, chat: chat, others: others, folder: folder, group: group, hub: hub,
                    gates: gates,
                    metrics: metrics, log: log, regions: regions)
                let outcome = await Result { try await body(gateway) }
                tasks.cancelAll()
                while let next = await tasks.nextResult() { _ = next }
                for channel in chatChannels { await channel.close() }
                try outcome.get()
            }
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// "Bearer ADMINISTRATOR of ORGANISATION": tokens themselves are tested where they are made.
    private static func administrator(_ authorization: String) -> (administrator: String, organisation: String)? {
        let words = authorization.split(separator: " ")
        guard words.count == 4, words[2] == "of" else { return nil }
        return (String(words[1]), String(words[3]))
    }

    private static func serve(
        _ handlers: [MethodHandler], at path: String, group: MultiThreadedEventLoopGroup,
        interceptors: [any ServerInterceptor] = [], in tasks: inout ThrowingTaskGroup<Void, any Error>
    ) async throws {
        var configuration = RPCServer.Configuration(socketPath: path)
        configuration.drainTimeout = .milliseconds(100)
        let health = HealthService()
        health.set(true)
        let server = RPCServer(
            configuration: configuration, handlers: handlers, interceptors: interceptors, health: health,
            logger: quiet, group: group)
        try await server.start()
        tasks.addTask { try await server.run() }
    }

    /// One request on a connection of its own.
    func request(
        _ verb: String, _ path: String, headers: [(String, String)] = [], body: String? = nil
    ) async throws -> HTTPAnswer {
        let connection = try await HTTPConnection(port: port, group: group)
        defer { connection.close() }
        var headers = headers
        if let body {
            if !headers.contains(where: { $0.0.lowercased() == "content-type" }) {
                headers.append(("Content-Type", "application/json"))
            }
            headers.append(("Content-Length", "\(body.utf8.count)"))
        }
        try await connection.send(verb, path, headers: headers, body: body ?? "")
        return try await connection.wholeAnswer()
    }

    /// Follows the session's events.
    func follow(
        _ path: String = "/v1/sessions/s1/events", headers: [(String, String)] = []
    ) async throws -> HTTPConnection {
        let connection = try await HTTPConnection(port: port, group: group)
        try await connection.send("GET", path, headers: headers)
        return connection
    }
}

/// Keeps the lines of a log, as a service writes them.
final class LogLines: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var lines: [String] {
        bytes.withLock { String(decoding: $0, as: UTF8.self) }.split(separator: "\n").map(String.init)
    }

    var logger: Logger {
        Logger(label: "gateway") { _ in
            JSONLogHandler(
                service: "gateway", level: .trace,
                output: LogOutput { line in self.bytes.withLock { $0.append(contentsOf: line) } })
        }
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

extension Array {
    /// One after the other.
    func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}

/// Waits until something is so; records an issue if it never is.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what, sourceLocation: sourceLocation)
    throw NeverHappened()
}

struct NeverHappened: Error {}
