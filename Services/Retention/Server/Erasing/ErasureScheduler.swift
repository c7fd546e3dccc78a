import Foundation
package import Logging
package import Privacy
package import RetentionCore
import ServiceLifecycle
import Synchronization

/// Erases sessions when their time has passed, and finishes erasures that were interrupted, without being asked.
///
/// One pass destroys all keys that are due, then hands the sessions to finish to a bounded number of tasks. Organisations
/// take turns, so that one with many sessions holds up no other. A session that fails waits by itself, longer each time.
package final class ErasureScheduler: Service {
    package struct Configuration: Sendable {
        /// The longest sleep between two looks at the clock: the clock may be set, and a deadline missed otherwise.
        package var longestWait: Duration = .seconds(30)
        package var retry = RetryDelay()
        /// Sessions whose rows are erased at the same time.
        package var concurrency = 4
        /// Of these at most so many of one organisation, so that another's first need not wait.
        package var concurrencyOfOrganisation = 3

        package init() {}
    }

    struct Attempts {
        /// Sessions that are being worked on, and whose they are.
        var running: [String: String] = [:]
        /// The organisation that had the last turn.
        var lastTurn = ""
        var failures: [String: (count: Int, retryTime: ContinuousClock.Instant)] = [:]
        /// Passes in a row of which some part failed.
        var failedPasses = 0
        var passFailed = false
    }

    private static let shortestWait: Duration = .milliseconds(20)

    let store: RetentionStore
    private let eraser: Eraser
    private let clock: GuardedClock
    private let signal: WakeSignal
    let configuration: Configuration
    let logger: Logger
    let attempts = Mutex(Attempts())

    package init(
        store: RetentionStore, eraser: Eraser, clock: GuardedClock, signal: WakeSignal, configuration: Configuration,
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
        await attempt("clock") { try await self.store.storeClockMark(self.clock.mark) }
        await attempt("keys") { try await self.eraser.destroyDueKeys() }
        await attempt("watch") { try await self.reportLate() }
        return await attempt("rows") { try await self.takeUnfinished() } ?? []
    }

    private func finish(_ id: String) async {
        do {
            _ = try await eraser.resume(id)
            attempts.withLock { attempts in
                attempts.running[id] = nil
                attempts.failures[id] = nil
            }
        } catch {
            let count = attempts.withLock { attempts in
                let count = (attempts.failures[id]?.count ?? 0) + 1
                let delay = configuration.retry.delay(failures: count)
                attempts.running[id] = nil
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
            wait = min(wait, .seconds(deadline.timeIntervalSince(clock.confirmed())))
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
        let late = try await store.lateCount(before: clock.confirmed().addingTimeInterval(-Self.toleratedDelay))
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
