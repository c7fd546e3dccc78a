import Foundation
import Logging
import NIOPosix
import ProtobufC
import RPC
import Testing

/// The messages of the health service serve as a text that goes there and back.
typealias Text = HealthV1.HealthCheckRequest

/// The event loops all tests share.
let testGroup = MultiThreadedEventLoopGroup(numberOfThreads: 2)

let testLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension MethodDescriptor {
    static func test(
        _ name: String, _ kind: Kind = .unary, idempotent: Bool = false, maxRequestBytes: Int = 1024 * 1024,
        deadline: Duration? = nil
    ) -> MethodDescriptor {
        MethodDescriptor(
            service: "test.Service", method: name, kind: kind, idempotent: idempotent, maxRequestBytes: maxRequestBytes,
            defaultDeadline: deadline)
    }

    static let echo = MethodDescriptor.test("Echo", idempotent: true)
    static let count = MethodDescriptor.test("Count", .serverStreaming)
}

extension MethodHandler {
    static let echo = MethodHandler.unary(.echo) { (request: Text, _) in request }

    /// Sends as many messages as the request says.
    static let count = MethodHandler.serverStreaming(.count) { (request: Text, writer: ResponseWriter<Text>, _) in
        for number in 0..<(Int(request.service) ?? 0) { try await writer.send(Text(service: String(number))) }
    }
}

/// A folder with a short path that is removed at the end.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = "/tmp/rpc-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

func makeServer(
    _ path: String, _ handlers: [MethodHandler], interceptors: [any ServerInterceptor] = [],
    health: HealthService = HealthService(), configure: (inout RPCServer.Configuration) -> Void = { _ in }
) -> RPCServer {
    var configuration = RPCServer.Configuration(socketPath: path)
    configuration.drainTimeout = .milliseconds(500)
    configuration.cancelTimeout = .milliseconds(500)
    configure(&configuration)
    return RPCServer(
        configuration: configuration, handlers: handlers, interceptors: interceptors, health: health,
        logger: testLogger, group: testGroup)
}

func makeChannel(_ path: String, interceptors: [any ClientInterceptor] = []) -> RPCChannel {
    RPCChannel(socketPath: path, name: "neighbour", interceptors: interceptors, group: testGroup, logger: testLogger)
}

/// A server and a channel to it, both stopped at the end.
func withServer<Result>(
    _ handlers: [MethodHandler], interceptors: [any ServerInterceptor] = [],
    clientInterceptors: [any ClientInterceptor] = [], health: HealthService = HealthService(),
    configure: (inout RPCServer.Configuration) -> Void = { _ in },
    _ body: (_ channel: RPCChannel, _ path: String) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let path = folder + "/s.sock"
        let server = makeServer(
            path, handlers, interceptors: interceptors, health: health, configure: configure)
        try await server.start()
        let channel = makeChannel(path, interceptors: clientInterceptors)
        do {
            let result = try await body(channel, path)
            await channel.close()
            await server.shutDown()
            return result
        } catch {
            await channel.close()
            await server.shutDown()
            throw error
        }
    }
}

/// Waits until the condition holds, for at most ten seconds.
func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: .seconds(10))
    while ContinuousClock.now < end {
        if try condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}

/// The status an operation fails with; nil when it succeeds.
func status(of operation: () async throws -> some Any) async throws -> RPCError? {
    do {
        _ = try await operation()
        return nil
    } catch let error as RPCError {
        return error
    }
}

/// `#expect` for what can't be written inside it: a found value that takes `try await` or changes something.
func expectEqual<Value: Equatable>(
    _ found: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found == expected, sourceLocation: sourceLocation)
}
