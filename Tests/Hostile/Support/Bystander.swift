import Logging
import NIOPosix
import RPC
import Synchronization

/// A client that means well: one call after the other at a steady pace, on a connection of its own, whatever others do.
final class Bystander: Sendable {
    typealias Text = HealthV1.HealthCheckRequest

    enum Phase: Int, CaseIterable { case before, during, after }

    private struct State {
        var phase = Phase.before
        var isDone = false
        var latencies: [[Duration]] = Phase.allCases.map { _ in [] }
        var failures: [String] = []
    }

    /// Between the beginnings of two calls.
    private static let pace = Duration.milliseconds(2)

    private let state = Mutex(State())
    private let channel: RPCChannel

    init(_ path: String, group: MultiThreadedEventLoopGroup) {
        channel = RPCChannel(
            socketPath: path, name: "victim", group: group,
            logger: Logger(label: "bystander") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Calls until ``finish()``.
    func run() async {
        while !state.withLock({ $0.isDone }) {
            let begin = ContinuousClock.now
            let phase = state.withLock { $0.phase }
            do {
                let answer: Text = try await channel.unary(
                    .victim("Echo"), Text(service: "hej"), options: CallOptions(timeout: .seconds(5)))
                let latency = ContinuousClock.now - begin
                state.withLock { state in
                    state.latencies[phase.rawValue].append(latency)
                    if answer.service != "hej" { state.failures.append("answered \(answer.service)") }
                }
            } catch {
                state.withLock { $0.failures.append("\(error)") }
            }
            try? await Task.sleep(until: begin.advanced(by: Self.pace))
        }
        await channel.close()
    }

    func enter(_ phase: Phase) {
        state.withLock { $0.phase = phase }
    }

    func finish() {
        state.withLock { $0.isDone = true }
    }

    /// Calls made so far in that phase.
    func count(_ phase: Phase) -> Int {
        state.withLock { $0.latencies[phase.rawValue].count }
    }

    var failures: [String] { state.withLock { $0.failures } }

    /// The latency that so many of a thousand calls of the phase stayed under.
    func latency(_ perMille: Int, _ phase: Phase) -> Duration {
        let sorted = state.withLock { $0.latencies[phase.rawValue].sorted() }
        guard !sorted.isEmpty else { return .zero }
        return sorted[min(sorted.count - 1, sorted.count * perMille / 1000)]
    }
}

extension MethodDescriptor {
    /// A method of the victim's.
    static func victim(_ name: String) -> MethodDescriptor {
        MethodDescriptor(
            service: "hostile.Victim", method: name, kind: .unary, idempotent: false, maxRequestBytes: 1024,
            defaultDeadline: nil)
    }
}
