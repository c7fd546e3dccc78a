import ArgumentParser
import Contracts
import Foundation
import Logging
import NIOPosix
import Privacy
import RPC
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceKit

/// What happened, in order.
private final class Diary: Sendable {
    private let entries = Mutex<[String]>([])

    func note(_ entry: String) { entries.withLock { $0.append(entry) } }

    var all: [String] { entries.withLock { $0 } }
}

/// Runs until it is cancelled, or until a test makes it fail.
private struct Worker: Service {
    struct Failure: Error {}

    var diary: Diary
    var fails = false

    func run() async throws {
        diary.note("worker started")
        if fails { throw Failure() }
        defer { diary.note("worker stopped") }
        try await Task.sleep(for: .seconds(600))
    }
}

@Suite("A service's life", .serialized, .timeLimit(.minutes(1)))
struct ServiceRunnerTests {
    private func settings(_ folder: TemporaryFolder, _ more: [String] = []) throws -> ServiceSettings {
        try ServiceSettings(
            name: "chat",
            options: ServiceOptions.parse(["--data", folder.path, "--region", "se", "--threads", "1"] + more),
            environment: [:])
    }

    private func channel(_ folder: TemporaryFolder) -> RPCChannel {
        RPCChannel(
            socketPath: folder.path + "/run/chat.sock", name: "chat", group: .singleton,
            logger: LogCollector().logger())
    }

    private func status(_ channel: RPCChannel) async throws -> HealthV1.HealthCheckResponse.ServingStatus {
        try await HealthV1.HealthClient(channel: channel).check(
            HealthV1.HealthCheckRequest(), options: CallOptions(timeout: .seconds(20), waitForReady: true)
        ).status
    }

    /// Serves in a folder of its own while `body` runs, and for as long as `body` doesn't stop it.
    private func serving(
        _ diary: Diary, log: LogCollector = LogCollector(), peers: [String] = [], handlers: [MethodHandler] = [],
        forwarded: Set<String> = [], neighbourRegions: @escaping @Sendable () -> [String: Region] = { [:] },
        onBuild: @escaping @Sendable (ServiceEnvironment) -> Void = { _ in },
        _ body: (TemporaryFolder, RPCChannel) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try settings(folder, peers)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await ServiceRunner.serve(settings, output: log.output) { environment in
                    diary.note("built in \(environment.ownFolder.dropFirst(folder.path.count))")
                    onBuild(environment)
                    return ServiceParts(
                        handlers: handlers, background: [Worker(diary: diary)], forwarded: forwarded,
                        neighbourRegions: neighbourRegions,
                        onDrain: { diary.note("streams ended") }, onStop: { diary.note("stores closed") })
                }
                diary.note("returned")
            }
            let channel = channel(folder)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(folder, channel)) } catch { outcome = .failure(error) }
            await channel.close()
            tasks.cancelAll()
            try await tasks.waitForAll()
            try outcome.get()
        }
    }

    @Test("it builds, serves, and stops everything in order on SIGTERM")
    func signal() async throws {
        let diary = Diary()
        let log = LogCollector()
        try await serving(diary, log: log) { folder, channel in
            #expect(try await status(channel) == .serving)
            #expect(try folder.mode("run") == 0o750)
            #expect(try folder.mode("chat") == 0o700)
            #expect(try folder.mode("run/chat.sock") == 0o660)
            let metrics = folder.path + "/run/chat.prom"
            try await until { FileManager.default.fileExists(atPath: metrics) }
            #expect(try String(contentsOfFile: metrics, encoding: .utf8).contains("method=\"Check\""))
            kill(getpid(), SIGTERM)
            try await until { diary.all.contains("returned") }
            #expect(!FileManager.default.fileExists(atPath: metrics))
        }
        #expect(
            diary.all == [
                "built in /chat", "worker started", "streams ended", "worker stopped", "stores closed", "returned",
            ])
        for message in ["serving", "stopping", "stopped"] {
            #expect(log.lines.contains { $0.contains("\"message\":\"\(message)\"") })
        }
    }

    @Test("it stops in the same order when its task is cancelled")
    func cancellation() async throws {
        let diary = Diary()
        try await serving(diary) { _, channel in
            let status = try await status(channel)
            #expect(status == .serving)
        }
        #expect(diary.all == ["built in /chat", "worker started", "worker stopped", "stores closed", "returned"])
    }

    @Test("health is NOT_SERVING as soon as it drains")
    func draining() async throws {
        let diary = Diary()
        try await serving(diary) { _, channel in
            #expect(try await status(channel) == .serving)
            var watch = HealthV1.HealthClient(channel: channel).watch(HealthV1.HealthCheckRequest()).makeAsyncIterator()
            let before = try await watch.next()
            #expect(before?.status == .serving)
            kill(getpid(), SIGTERM)
            let after = try await watch.next()
            #expect(after?.status == .notServing)
        }
    }

    @Test(
        "health knows the full name of each service and of its package, and of those that are forwarded what is said of them"
    )
    func names() async throws {
        let (chat, identity) = (ChatV1.ChatServiceMethods.getSession, IdentityV1.IdentityServiceMethods.listSigningKeys)
        let handlers = [chat, identity].map { method in MethodHandler.rawUnary(method) { request, _ in request } }
        let built = Mutex<HealthService?>(nil)
        try await serving(
            Diary(), handlers: handlers, forwarded: [identity.service],
            onBuild: { environment in built.withLock { $0 = environment.health } }
        ) { _, channel in
            #expect(try await status(channel) == .serving)
            let client = HealthV1.HealthClient(channel: channel)
            let known = [
                "", chat.service, "samtal.chat.v1", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection", "samtal.deployment.v1.DeploymentService",
            ]
            for name in known { #expect(try await client.check(.init(service: name)).status == .serving) }
            for name in [identity.service, "samtal.identity.v1", "ChatService", "samtal"] {
                let error = await #expect(throws: RPCError.self) { try await client.check(.init(service: name)) }
                #expect(error?.code == .notFound)
            }
            built.withLock { $0 }?.set(false, service: identity.service)
            #expect(try await client.check(.init(service: identity.service)).status == .notServing)

            var watch = client.watch(.init(service: chat.service)).makeAsyncIterator()
            let before = try await watch.next()
            #expect(before?.status == .serving)
            kill(getpid(), SIGTERM)
            let after = try await watch.next()
            #expect(after?.status == .notServing)
        }
    }

    @Test("it tells every role where it keeps its data, as declared, and where those behind it do")
    func regions() async throws {
        let fi = try Region("fi")
        try await serving(Diary(), neighbourRegions: { ["retention": fi, "chat": fi] }) { _, channel in
            let client = DeploymentV1.DeploymentServiceClient(channel: channel)
            for role in ["gateway", "service", "operator", "backend", "backup"] {
                let answer = try await client.listRegions(
                    .init(), options: CallOptions(metadata: ["samtal-role": role], waitForReady: true))
                #expect(
                    answer.regions == [
                        .init(process: "chat", region: "se"), .init(process: "chat", region: "fi"),
                        .init(process: "retention", region: "fi"),
                    ])
            }
            #expect(await NeighbourRegion(of: "retention", channel: channel).ask() == fi)
            #expect(await NeighbourRegion(of: "identity", channel: channel).ask() == nil)
        }
    }

    @Test("a peer that isn't listed is cut off")
    func unlistedPeer() async throws {
        let metrics = Mutex<MetricsRegistry?>(nil)
        try await serving(
            Diary(), peers: ["--peer", "\(geteuid() + 1)=gateway"],
            onBuild: { environment in metrics.withLock { $0 = environment.metrics } }
        ) { _, channel in
            let error = await #expect(throws: RPCError.self) {
                try await HealthV1.HealthClient(channel: channel).check(
                    HealthV1.HealthCheckRequest(), options: CallOptions(timeout: .seconds(2), waitForReady: true))
            }
            #expect(error?.code == .unavailable || error?.code == .deadlineExceeded)
            let text = metrics.withLock { $0?.text() } ?? ""
            #expect(text.contains("rpc_server_connections_accepted_total 0\n"))
            #expect(text.contains("rpc_server_connections_refused_peers_total "))
            #expect(!text.contains("rpc_server_connections_refused_peers_total 0\n"))
        }
    }

    @Test("a background service that fails stops the whole service")
    func failure() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try settings(folder)
        let diary = Diary()
        await #expect(throws: Worker.Failure.self) {
            try await ServiceRunner.serve(settings, output: LogCollector().output) { _ in
                ServiceParts(
                    handlers: [], background: [Worker(diary: diary, fails: true)],
                    onStop: { diary.note("stores closed") })
            }
        }
        #expect(diary.all == ["worker started", "stores closed"])
    }

    @Test("a second instance on the same socket doesn't start, and the first goes on")
    func secondInstance() async throws {
        let diary = Diary()
        try await serving(diary) { folder, channel in
            #expect(try await status(channel) == .serving)
            let second = try settings(folder)
            await #expect(throws: (any Error).self) {
                try await ServiceRunner.serve(second, output: LogCollector().output) { _ in ServiceParts(handlers: []) }
            }
            #expect(try await status(channel) == .serving)
        }
    }

    @Test("a neighbour that is down is named, and one channel to it serves everybody")
    func neighbour() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let environment = ServiceEnvironment(
            settings: try settings(folder), logger: LogCollector().logger(), group: .singleton)
        let channel = environment.channel(to: "retention")
        #expect(environment.channel(to: "retention") === channel)
        await #expect(throws: RPCError.unavailable(neighbour: "retention")) {
            try await HealthV1.HealthClient(channel: channel).check(HealthV1.HealthCheckRequest())
        }
        #expect(environment.file("index.sqlite") == folder.path + "/chat/index.sqlite")
        await environment.closeChannels()
    }

    /// Waits for a condition; the suite's time limit bounds it.
    private func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(5)) }
    }
}
