import Foundation
package import Logging
package import Privacy
package import RetentionCore
import ServiceLifecycle
import Synchronization

/// Erases sessions when their time has passed, and finishes erasures that were interrupted, without being asked.
///
/// One pass destroys all keys that are due, then hands the sessions to finish to a bounded number of tasks. A session
/// that fails waits by itself, longer each time, and holds up no other.
package final class ErasureScheduler: Service {
    package struct Configuration: Sendable {
        /// The longest sleep between two looks at the clock: the clock may be set, and a deadline missed otherwise.
        package var longestWait: Duration = .seconds(30)
        package var retry = RetryDelay()
        /// Sessions whose rows are erased at the same time.
        package var concurrency = 4

        package init() {}
    }

    private struct Attempts {
        var running: Set<String> = []
        var failures: [String: (count: Int, retryTime: ContinuousClock.Instant)] = [:]
        /// Passes in a row of which some part failed.
        var failedPasses = 0
        var passFailed = false
    }

    /// Sessions are looked up in pages of this size.
    private static let page = 200
    private static let shortestWait: Duration = .milliseconds(20)

    private let store: RetentionStore
    private let eraser: Eraser
    private let clock: any WallClock
    private let signal: WakeSignal
    private let configuration: Configuration
    let logger: Logger
    private let attempts = Mutex(Attempts())

    package init(
        store: RetentionStore, eraser: Eraser, clock: any WallClock, signal: WakeSignal, configuration: Configuration,
        logger: Logger
    ) {
        self.store = store
        self.eraser = eraser
        self.clock = clock
        self.signal = signal
        self.configuration = configuration
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for id in await self.pass() {
                        group.addTask { await self.finish(id) }
                    }
                    await self.signal.wait(atMost: await self.timeToNextPass())
                }
                group.cancelAll()
            }
        }
    }

    /// - Returns: the sessions to finish now.
    private func pass() async -> [String] {
        attempts.withLock { $0.passFailed = false }
        // Each by itself: a key file that can't be rewritten just now is no reason not to erase rows.
        await attempt("clock") { try await self.store.storeHighWater(self.clock.now()) }
        await attempt("keys") { try await self.eraser.destroyDueKeys() }
        await attempt("watch") { try await self.reportLate() }
        return await attempt("rows") { try await self.takeUnfinished() } ?? []
    }

    /// Chooses sessions that are neither being worked on nor waiting to be tried again, as many as there is room for.
    private func takeUnfinished() async throws -> [String] {
        var chosen: [String] = []
        var last = ""
        while true {
            let page = try await store.unfinished(after: last, limit: Self.page)
            let hasRoom = attempts.withLock { attempts in
                for id in page where attempts.running.count < configuration.concurrency {
                    guard !attempts.running.contains(id), isDue(attempts.failures[id]?.retryTime) else { continue }
                    attempts.running.insert(id)
                    chosen.append(id)
                }
                return attempts.running.count < configuration.concurrency
            }
            guard hasRoom else { return chosen }
            guard page.count == Self.page, let end = page.last else { break }
            last = end
        }
        // Whatever is due and was not found above has been finished by somebody else.
        attempts.withLock { attempts in
            attempts.failures = attempts.failures.filter { id, failure in
                attempts.running.contains(id) || !isDue(failure.retryTime)
            }
        }
        return chosen
    }

    private func isDue(_ time: ContinuousClock.Instant?) -> Bool {
        time.map { $0 <= .now } ?? true
    }

    private func finish(_ id: String) async {
        do {
            _ = try await eraser.resume(id)
            attempts.withLock { attempts in
                attempts.running.remove(id)
                attempts.failures[id] = nil
            }
        } catch {
            let count = attempts.withLock { attempts in
                let count = (attempts.failures[id]?.count ?? 0) + 1
                let delay = configuration.retry.delay(failures: count)
                attempts.running.remove(id)
                attempts.failures[id] = (count, .now + delay)
                return count
            }
            if !Task.isCancelled { logFailure(error, attempt: count) }
        }
        signal.signal()
    }

    /// Until a deadline, a retry, or the longest wait. A session that is being finished signals when it is; while there
    /// is no room for another, that signal is what a retry waits for.
    private func timeToNextPass() async -> Duration {
        var wait = configuration.longestWait
        if let deadline = await attempt("deadline", { try await self.store.nextDeadline() }) ?? nil {
            wait = min(wait, .seconds(deadline.timeIntervalSince(clock.now())))
        }
        let (retry, failedPasses) = attempts.withLock { attempts in
            attempts.failedPasses = attempts.passFailed ? attempts.failedPasses + 1 : 0
            let hasRoom = attempts.running.count < configuration.concurrency
            let times = hasRoom ? attempts.failures.values.map(\.retryTime) : []
            return (times.min(), attempts.failedPasses)
        }
        if let retry { wait = min(wait, ContinuousClock.now.duration(to: retry)) }
        let pause = failedPasses > 0 ? configuration.retry.delay(failures: failedPasses) : Self.shortestWait
        return min(max(wait, pause), configuration.longestWait)
    }

    private func reportLate() async throws {
        let late = try await store.lateCount(before: clock.now().addingTimeInterval(-Self.toleratedDelay))
        if late > 0 { logLate(late) }
    }

    @discardableResult
    private func attempt<Value: Sendable>(
        _ component: String, _ body: @Sendable () async throws -> Value
    ) async -> Value? {
        do {
            return try await body()
        } catch {
            attempts.withLock { $0.passFailed = true }
            if !Task.isCancelled { logFailure(error, component: component) }
            return nil
        }
    }
}
