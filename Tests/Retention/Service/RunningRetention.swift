import Contracts
import Foundation
import Logging
import NIOPosix
import Privacy
import RPC
import RetentionCore
import RetentionServer
import ServiceKit
import Synchronization
import Testing

/// A folder for one test: short, since socket paths are.
struct TestFolder {
    let path: String

    init() throws {
        path = "/tmp/sr-\(Identifier.random().prefix(12))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// The bytes of every file in retention's folder and the folders in it.
    func retentionFiles() throws -> [String: Data] {
        let folder = URL(fileURLWithPath: path + "/retention")
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            var isFolder: ObjCBool = false
            let file = folder.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue
            else { continue }
            files[name] = try Data(contentsOf: file)
        }
        return files
    }

    /// The places of the slots that hold a key, in the file of slots: 128 bytes each after a block of 4 KiB; a free one
    /// is zeros, and one whose key was destroyed begins with "SLT0" (Sources/KeySlots/README.md).
    func usedSlots() throws -> Set<Int> {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/retention/keys/slots"))
        return Set(
            stride(from: 4096, to: bytes.count, by: 128).filter { start in
                bytes[start..<start + 128].contains { $0 != 0 } && !bytes[start...].starts(with: "SLT0".utf8)
            })
    }
}

func withFolder<Value>(_ body: (TestFolder) async throws -> Value) async throws -> Value {
    let folder = try TestFolder()
    defer { folder.remove() }
    return try await body(folder)
}

/// Recognises "authorization: Bearer administrator-of ORG": tokens themselves are tested where they are made.
struct TestAuthenticator: Authenticator {
    func authenticate(_ call: ServerCall) async throws(RPCError) -> Principal? {
        guard let value = call.metadata[first: "authorization"] else { return nil }
        let prefix = "Bearer administrator-of "
        guard value.hasPrefix(prefix) else { throw .tokenInvalid }
        return .administrator(id: "administrator-1", organisationID: String(value.dropFirst(prefix.count)))
    }
}

/// Keeps everything that is logged, at every level, with all its metadata.
final class CapturedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = "\(event.level) \(event.message) \(event.metadata ?? [:]) \(metadata)"
            log.lines.withLock { $0.append(line) }
        }
    }
}

/// Retention as callers see it, over its socket.
struct RunningRetention {
    let client: RetentionV1.RetentionServiceClient
    let channel: RPCChannel
    let assembly: RetentionAssembly
    let clock: ManualWallClock
    let log: CapturedLog
    let metrics: MetricsRegistry

    static let start = Date(timeIntervalSince1970: 1_790_000_000)

    /// For a call, on a machine that is busy with other things too.
    static let patience = Duration.seconds(120)

    // Calculated each time: options carry the time of the call that they are made for.
    static var asOperator: CallOptions { CallOptions(metadata: ["samtal-role": "operator"], timeout: patience) }
    static var asChat: CallOptions { CallOptions(metadata: ["samtal-role": "service"], timeout: patience) }
    static var asAnyone: CallOptions { CallOptions(metadata: ["samtal-role": "gateway"], timeout: patience) }
    static func asAdministrator(of organisation: String = "org-north") -> CallOptions {
        CallOptions(
            metadata: ["samtal-role": "gateway", "authorization": "Bearer administrator-of \(organisation)"],
            timeout: patience)
    }
}

/// Serves handlers on a socket while the body runs.
func withServer<Value: Sendable>(
    socket: String, handlers: [MethodHandler], authenticators: [any Authenticator] = [], logger: Logger,
    _ body: () async throws -> Value
) async throws -> Value {
    var configuration = RPCServer.Configuration(socketPath: socket)
    configuration.drainTimeout = .seconds(1)
    let server = RPCServer(
        configuration: configuration, handlers: handlers,
        interceptors: InterceptorChain.standard(
            service: "test", authenticators: authenticators, peers: .ownUser(), logger: logger),
        health: HealthService(), logger: logger, group: .singleton)
    try await server.start()
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await server.shutDown()
        group.cancelAll()
        return try result.get()
    }
}

/// Serves a chat peer while the body runs.
func withChat<Value: Sendable>(
    _ peer: ChatPeer, in folder: TestFolder, _ body: () async throws -> Value
) async throws -> Value {
    try await withServer(
        socket: folder.path + "/chat.sock", handlers: peer.handlers, logger: CapturedLog().logger, body)
}

/// Serves an identity peer, if there is one, while the body runs.
private func withIdentity<Value: Sendable>(
    _ peer: IdentityPeer?, in folder: TestFolder, _ body: () async throws -> Value
) async throws -> Value {
    guard let peer else { return try await body() }
    return try await withServer(
        socket: folder.path + "/identity.sock", handlers: peer.handlers, logger: CapturedLog().logger, body)
}

/// Serves retention while the body runs. What it finds in the folder it goes on with.
///
/// - Parameters:
///   - schedules: whether sessions are erased without being asked for.
///   - identity: nil: down.
func withRetention<Value: Sendable>(
    in folder: TestFolder, clock: ManualWallClock = ManualWallClock(RunningRetention.start),
    log: CapturedLog = CapturedLog(), schedules: Bool = true, limits: RetentionLimits = RetentionLimits(),
    longCalls: LongCallLimits = LongCallLimits(), hooks: ErasureHooks = ErasureHooks(),
    identity: IdentityPeer? = IdentityPeer(), region: String = "se-lund", keys: KeySettings = KeySettings(),
    _ body: (RunningRetention) async throws -> Value
) async throws -> Value {
    var configuration = ErasureScheduler.Configuration()
    configuration.longestWait = .milliseconds(20)
    configuration.retry = RetryDelay(first: .milliseconds(10), longest: .milliseconds(50))
    let logger = log.logger
    let chat = (0..<3).map { _ in
        RPCChannel(socketPath: folder.path + "/chat.sock", name: "chat", group: .singleton, logger: logger)
    }
    let toIdentity = RPCChannel(
        socketPath: folder.path + "/identity.sock", name: "identity", group: .singleton, logger: logger)
    let metrics = MetricsRegistry()
    let channel = RPCChannel(
        socketPath: folder.path + "/retention.sock", name: "retention", group: .singleton, logger: logger)
    let assembly = try await RetentionAssembly.make(
        folder: folder.path + "/retention", region: try Region(region), identity: toIdentity,
        chat: ChatChannels(calls: chat[0], exports: chat[1], erasures: chat[2]),
        clock: clock, logger: logger, metrics: metrics, longCalls: longCalls, configuration: configuration,
        limits: limits, keySettings: keys, hooks: hooks)
    let running = RunningRetention(
        client: RetentionV1.RetentionServiceClient(channel: channel), channel: channel, assembly: assembly,
        clock: clock, log: log,
        metrics: metrics)
    let result: Result<Value, any Error>
    do {
        result = .success(
            try await withServer(
                socket: folder.path + "/retention.sock",
                handlers: assembly.handler.handlers + assembly.clockHandler.handlers
                    + assembly.backupHandler.handlers,
                authenticators: [TestAuthenticator()], logger: logger
            ) {
                try await withIdentity(identity, in: folder) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        if schedules { group.addTask { try await assembly.scheduler.run() } }
                        group.addTask { try await assembly.announcer.run() }
                        defer { group.cancelAll() }
                        return try await body(running)
                    }
                }
            })
    } catch {
        result = .failure(error)
    }
    await channel.close()
    for channel in chat + [toIdentity] { await channel.close() }
    await assembly.close()
    return try result.get()
}

/// Waits until a condition holds; fails the test when it does not within a minute.
func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}

/// The status that a call ends with; nil for OK.
func status(_ body: () async throws -> some Any) async throws -> RPCError? {
    do {
        _ = try await body()
        return nil
    } catch let error as RPCError {
        return error
    }
}

/// Expects that a call is refused. A function, since a closure inside `#expect` may be taken for another one of the
/// same test's (closures in macro arguments are numbered anew).
func expectRefusal(
    _ code: RPCError.Code? = nil, reason: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> some Any
) async throws {
    let found = try await status(body)
    #expect(found != nil, sourceLocation: sourceLocation)
    if let code { #expect(found?.code == code, sourceLocation: sourceLocation) }
    if let reason { #expect(found?.reason == reason, sourceLocation: sourceLocation) }
}
