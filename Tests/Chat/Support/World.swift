import ChatCore
import ChatServer
import Contracts
import Foundation
import Logging
import NIOPosix
import Privacy
import RPC
import ServiceKit
import ServiceLifecycle
import Storage
import Testing

enum Organisation {
    static let a = "org-a"
    static let b = "org-b"
    static let withoutAgreement = "org-c"
}

/// A folder with chat's files, a retention beside it, and a clock: what outlives one run of chat.
struct World {
    let folder: String
    let clock: ManualWallClock
    let retention: RetentionPeer
    let identity: IdentityPeer
    let logs: LogCollector
    let tokens: AccessTokenIssuer

    static let start = Date(milliseconds: 1_772_360_000_000)

    /// Makes a world and removes it again, whatever happens in it.
    static func run(_ body: (World) async throws -> Void) async throws {
        let folder = "/tmp/chat-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let logs = LogCollector()
        let world = World(
            folder: folder, clock: ManualWallClock(start),
            retention: RetentionPeer(socketPath: "\(folder)/retention.sock", logger: logs.logger),
            identity: IdentityPeer(socketPath: "\(folder)/identity.sock", logger: logs.logger), logs: logs,
            tokens: try await AccessTokenIssuer(keyID: "k", privateKey: AccessTokenIssuer.newPrivateKey()))
        try await world.retention.start()
        try await world.identity.start()
        do {
            try await body(world)
        } catch {
            await world.retention.stop()
            await world.identity.stop()
            throw error
        }
        await world.retention.stop()
        await world.identity.stop()
    }

    /// A world with one run of chat in it.
    static func withChat(
        _ settings: ChatSettings? = nil, _ body: (World, Chat) async throws -> Void
    ) async throws {
        try await run { world in try await world.withChat(settings) { chat in try await body(world, chat) } }
    }

    /// Runs chat on a real socket, with its background work, until the body is done.
    func withChat(_ settings: ChatSettings? = nil, _ body: (Chat) async throws -> Void) async throws {
        var chosen = try settings ?? ChatSettings()
        chosen.upkeepInterval = .milliseconds(20)
        chosen.store.indexRewrittenEvery = .milliseconds(20)
        let settings = chosen
        let toRetention = RPCChannel(
            socketPath: retention.socketPath, name: "retention", group: .singleton, logger: logs.logger)
        let toIdentity = RPCChannel(
            socketPath: identity.socketPath, name: "identity", group: .singleton, logger: logs.logger)
        let metrics = MetricsRegistry()
        let assembly = try await afterForks {
            try await ChatAssembly(
                folder: chatFolder, region: try Region("se-lund"), identity: toIdentity, retention: toRetention,
                settings: settings, metrics: metrics, clock: clock, logger: logs.logger)
        }
        let parts = assembly.parts(
            administrators: AccessTokenAuthenticator(keys: FixedSigningKeys([tokens.keyID: tokens.publicKey])))
        let socketPath = "\(folder)/chat.sock"
        let server = RPCServer(
            configuration: RPCServer.Configuration(socketPath: socketPath), handlers: parts.handlers,
            interceptors: InterceptorChain.standard(
                service: "chat", authenticators: parts.authenticators, peers: .ownUser(), logger: logs.logger),
            health: HealthService(), logger: logs.logger, group: .singleton)
        try await server.start()
        let channel = RPCChannel(socketPath: socketPath, name: "chat", group: .singleton, logger: logs.logger)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await assembly.upkeep.run() }
                    defer { tasks.cancelAll() }
                    let client = ChatV1.ChatServiceClient(channel: channel)
                    try await body(Chat(world: self, client: client, assembly: assembly, metrics: metrics))
                })
        } catch {
            outcome = .failure(error)
        }
        assembly.feed.drain()
        await channel.close()
        await server.shutDown()
        await assembly.stop()
        await toRetention.close()
        await toIdentity.close()
        try outcome.get()
    }

    var chatFolder: String { "\(folder)/chat" }

    func sessionFile(_ id: String) -> String { "\(chatFolder)/sessions/\(id).sqlite" }

    /// Every byte of every file that chat keeps, and every name of one.
    func filesHold(_ needle: [UInt8]) async throws -> Bool { try await filesHold(anyOf: [needle]) }

    func filesHold(anyOf needles: [[UInt8]]) async throws -> Bool {
        let copy = try copyOfFiles()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let files = try FileManager.default.subpathsOfDirectory(atPath: copy)
        #expect(files.contains("index.sqlite"))
        return files.contains { file in
            let content = FileManager.default.contents(atPath: "\(copy)/\(file)") ?? Data()
            return needles.contains { needle in
                content.range(of: Data(needle)) != nil || Data(file.utf8).range(of: Data(needle)) != nil
            }
        }
    }

    /// A copy of chat's files as they are on the disk now. Made by another process: closing a descriptor of a database in
    /// this one would drop the locks that SQLite holds.
    func copyOfFiles() throws -> String {
        let copy = "\(folder)/copy-\(UInt64.random(in: .min ... .max))"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/cp")
        process.arguments = ["-r", chatFolder, copy]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return copy
    }

    /// Waits for something that happens in the background.
    func eventually(
        _ what: Comment, within time: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record(what, sourceLocation: sourceLocation)
    }
}

/// Opens a store. A process that another test has just begun still holds the store's lock, until it executes its program.
func afterForks<Value>(_ open: () async throws -> Value) async throws -> Value {
    for _ in 0..<200 {
        do {
            return try await open()
        } catch let error as StorageError where error.code == .locked {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
    return try await open()
}
