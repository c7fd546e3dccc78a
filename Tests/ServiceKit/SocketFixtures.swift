import Foundation
import NIOPosix
import RPC

@testable import ServiceKit

/// A folder with a path short enough for a socket in it.
struct TemporaryFolder {
    let path: String

    init() throws {
        path = "/tmp/sk-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// The permission bits of something in the folder.
    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        return (attributes[.posixPermissions] as? Int ?? -1) & 0o777
    }
}

/// A server on a real socket, and a channel to it.
struct TestServer {
    let server: RPCServer
    let channel: RPCChannel

    static func with(
        handlers: [MethodHandler], interceptors: [any ServerInterceptor] = [],
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let logger = LogCollector().logger()
        let path = folder.path + "/s.sock"
        let server = RPCServer(
            configuration: RPCServer.Configuration(socketPath: path), handlers: handlers, interceptors: interceptors,
            health: HealthService(), logger: logger, group: .singleton)
        try await server.start()
        let channel = RPCChannel(socketPath: path, name: "test", group: .singleton, logger: logger)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(TestServer(server: server, channel: channel)))
        } catch {
            outcome = .failure(error)
        }
        await channel.close()
        await server.shutDown()
        try outcome.get()
    }
}
