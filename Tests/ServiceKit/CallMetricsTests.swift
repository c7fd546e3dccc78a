import Contracts
import Foundation
import RPC
import Synchronization
import Testing

@testable import ServiceKit

@Suite("The metrics of calls", .timeLimit(.minutes(1)))
struct CallMetricsTests {
    private static let getSession = ChatV1.ChatServiceMethods.getSession

    private func chain(_ calls: CallMetrics) -> [any ServerInterceptor] {
        InterceptorChain.standard(
            service: "test", authenticators: [], peers: PeerRoles([testUID: [.gateway]]),
            logger: LogCollector().logger(), metrics: calls)
    }

    private func registry(_ calls: CallMetrics) -> MetricsRegistry {
        let registry = MetricsRegistry()
        registry.observe(calls)
        return registry
    }

    private func value(_ registry: MetricsRegistry, _ series: String) -> String? {
        registry.text().split(separator: "\n").first { $0.hasPrefix(series + " ") }?
            .split(separator: " ").last.map(String.init)
    }

    private static let labels = #"method="GetSession",service="samtal.chat.v1.ChatService""#

    @Test("a call is counted when it is taken up and when it ends, by its status, and timed")
    func counts() async throws {
        let metrics = CallMetrics(methods: ChatV1.ChatServiceMethods.all)
        let registry = registry(metrics)
        let interceptor = MetricsInterceptor(metrics)
        let calls = (0..<3).map { _ in ServerCall(method: Self.getSession, peer: Peer(uid: 1, gid: 1, pid: 1)) }
        for call in calls { try await interceptor.begin(call) }
        #expect(value(registry, "rpc_server_calls_started_total{\(Self.labels)}") == "3")
        #expect(value(registry, "rpc_server_calls_in_flight{\(Self.labels)}") == "3")
        interceptor.end(calls[0], outcome: nil)
        interceptor.end(calls[1], outcome: RPCError(.notFound, "session: not found"))
        #expect(value(registry, "rpc_server_calls_in_flight{\(Self.labels)}") == "1")
        #expect(value(registry, "rpc_server_calls_finished_total{code=\"OK\",\(Self.labels)}") == "1")
        #expect(value(registry, "rpc_server_calls_finished_total{code=\"NOT_FOUND\",\(Self.labels)}") == "1")
        #expect(value(registry, "rpc_server_calls_finished_total{code=\"INTERNAL\",\(Self.labels)}") == "0")
        #expect(value(registry, "rpc_server_call_duration_seconds_count{\(Self.labels)}") == "2")
    }

    @Test("refused calls are counted too")
    func refusals() async throws {
        let metrics = CallMetrics(methods: ChatV1.ChatServiceMethods.all)
        let registry = registry(metrics)
        let chain = chain(metrics)
        let call = ServerCall(
            method: ChatV1.ChatServiceMethods.readSessionLog, peer: Peer(uid: testUID, gid: 1, pid: 1))
        for interceptor in chain.dropLast() { try await interceptor.begin(call) }
        let refusal = await #expect(throws: RPCError.self) { try await chain.last?.begin(call) }
        for interceptor in chain.dropLast().reversed() { interceptor.end(call, outcome: refusal) }
        let labels = #"{code="PERMISSION_DENIED",method="ReadSessionLog",service="samtal.chat.v1.ChatService"}"#
        #expect(value(registry, "rpc_server_calls_finished_total\(labels)") == "1")
    }

    @Test("nothing that a caller says becomes a label")
    func cardinality() async throws {
        let metrics = CallMetrics(methods: ChatV1.ChatServiceMethods.all)
        let registry = registry(metrics)
        let chain = chain(metrics)
        let before = registry.text().split(separator: "\n").map { $0.prefix { $0 != " " } }
        for number in 0..<100 {
            let call = call(
                "/evil.Service\(number)/Method\(number)",
                metadata: [
                    "samtal-role": "role\(number)", "authorization": "Bearer \(number)", "user-agent": "\(number)",
                ])
            for interceptor in chain.dropLast() { try await interceptor.begin(call) }
            let refusal = await #expect(throws: RPCError.self) { try await chain.last?.begin(call) }
            for interceptor in chain.dropLast().reversed() { interceptor.end(call, outcome: refusal) }
        }
        #expect(registry.text().split(separator: "\n").map { $0.prefix { $0 != " " } } == before)
    }

    @Test("every unary method of every contract has a deadline of its own, within the longest call")
    func deadlines() {
        let methods =
            IdentityV1.IdentityServiceMethods.all + ChatV1.ChatServiceMethods.all
            + RetentionV1.RetentionServiceMethods.all
        for method in methods where method.kind == .unary {
            #expect(method.defaultDeadline != nil, "\(method.path)")
            #expect(method.defaultDeadline.map { $0 <= InterceptorChain.longestUnaryCall } == true, "\(method.path)")
        }
    }
}

@Suite("The metrics file", .timeLimit(.minutes(1)))
struct MetricsFileTests {
    private func file(_ folder: TemporaryFolder, _ log: LogCollector = LogCollector()) -> MetricsFile {
        let registry = MetricsRegistry()
        registry.observe("a", .gauge) { 1 }
        return MetricsFile(
            registry: registry, path: folder.path + "/chat.prom", logger: log.logger(), interval: .milliseconds(10))
    }

    @Test("it is there while the service runs, for owner and group, and gone afterwards")
    func life() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = file(folder)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await file.run() }
            while !FileManager.default.fileExists(atPath: file.path) { try await Task.sleep(for: .milliseconds(2)) }
            #expect(try String(contentsOfFile: file.path, encoding: .utf8).hasPrefix("# TYPE a gauge\na 1\n"))
            #expect(try folder.mode("chat.prom") == 0o640)
            tasks.cancelAll()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("a link that somebody put in its place is replaced, not followed")
    func links() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = file(folder)
        let victim = folder.path + "/victim"
        try Data("precious".utf8).write(to: URL(fileURLWithPath: victim))
        for name in [file.path, file.path + ".new"] {
            try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: victim)
        }
        #expect(file.write() == 0)
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
        #expect(try String(contentsOfFile: file.path, encoding: .utf8).hasPrefix("# TYPE a"))
    }

    @Test("a folder that can't be written to is said once, and the service goes on")
    func unwritable() async throws {
        let folder = try TemporaryFolder()
        folder.remove()
        let log = LogCollector()
        let file = file(folder, log)
        let rounds = Atomic(0)
        file.registry.observe("b", .gauge) { Double(rounds.wrappingAdd(1, ordering: .relaxed).newValue) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await file.run() }
            while rounds.load(ordering: .relaxed) < 5 { try await Task.sleep(for: .milliseconds(2)) }
            tasks.cancelAll()
        }
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.contains("\"component\":\"metrics\"") == true)
    }
}
