import Contracts
import RPC
import RetentionCore
import ServiceKit
import Synchronization

/// Ends an export that waits for too long.
final class ExportWatch: Sendable {
    private let pace: Mutex<ExportPace>
    private let longestPause: Duration
    private let refusals: Refusals

    private init(limits: ExportPace.Limits, refusals: Refusals) {
        pace = Mutex(ExportPace(limits: limits, now: .now))
        longestPause = limits.longestPause
        self.refusals = refusals
    }

    /// Runs an export until it is done or has waited for too long, whatever it waits for.
    ///
    /// - Throws: what the body throws; `RPCError` DEADLINE_EXCEEDED `EXPORT_STALLED` or `EXPORT_TOO_SLOW` for its reader,
    ///   UNAVAILABLE `NEIGHBOUR_TIMEOUT` for chat.
    static func run(
        limits: ExportPace.Limits, refusals: Refusals, _ body: @escaping @Sendable (ExportWatch) async throws -> Void
    ) async throws {
        let watch = ExportWatch(limits: limits, refusals: refusals)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Not on the event loop that the call came on: compressing would hold up whatever else that has to answer.
            group.addTask(executorPreference: globalConcurrentExecutor) { try await body(watch) }
            group.addTask { try await watch.waitForProblem() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Hands a chunk over, which may take as long as the reader does.
    func send(_ chunk: [UInt8], _ send: ([UInt8]) async throws -> Void) async throws {
        pace.withLock { $0.offer(at: .now) }
        try await send(chunk)
        pace.withLock { $0.taken(chunk.count, at: .now) }
    }

    private func waitForProblem() async throws {
        while true {
            let (problem, due) = pace.withLock { ($0.problem(at: .now), $0.due) }
            if let problem { throw error(problem) }
            // A chunk that is offered meanwhile may be due sooner than what is waited for now.
            try await Task.sleep(until: min(due, .now + longestPause), clock: .continuous)
        }
    }

    private func error(_ problem: ExportPace.Problem) -> RPCError {
        switch problem {
        case .stalled:
            refusals.count(LongCallLimits.exportPause)
            return RPCError(
                .deadlineExceeded, "the export was not read", reason: "EXPORT_STALLED",
                metadata: [RPCError.boundKey: LongCallLimits.exportPause])
        case .tooSlow:
            refusals.count(LongCallLimits.exportTime)
            return RPCError(
                .deadlineExceeded, "the export was read too slowly", reason: "EXPORT_TOO_SLOW",
                metadata: [RPCError.boundKey: LongCallLimits.exportTime])
        case .chatTooSlow:
            return RPCError(.unavailable, "chat took too long", reason: "NEIGHBOUR_TIMEOUT")
        }
    }
}
