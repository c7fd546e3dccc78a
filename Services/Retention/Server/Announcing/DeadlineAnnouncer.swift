import Logging
import RPC
import RetentionCore
import ServiceKit
import ServiceLifecycle

/// Tells chat of every session that has to go earlier than chat knows, until chat has heard it. Chat hides a session by
/// its own clock, so it must know the new time before that comes.
package final class DeadlineAnnouncer: Service {
    /// Sessions that are read, and told of, in one go.
    private static let page = 100
    /// Calls to chat at the same time.
    private static let concurrency = 4
    /// In one pass, before chat counts as away.
    private static let failuresOfAPass = 3
    /// Without a signal: after a start, and for what was stored while one was missed.
    private static let longestWait: Duration = .seconds(30)

    private let store: RetentionStore
    private let chat: ChatNeighbour
    private let signal: WakeSignal
    private let retry: RetryDelay
    private let logger: Logger

    init(store: RetentionStore, chat: ChatNeighbour, signal: WakeSignal, retry: RetryDelay, logger: Logger) {
        self.store = store
        self.chat = chat
        self.signal = signal
        self.retry = retry
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var last = ""
            var failedPasses = 0
            while !Task.isCancelled {
                let isWhole = last.isEmpty
                let error = await self.pass(from: &last)
                if error != nil { failedPasses += 1 } else if isWhole { failedPasses = 0 }
                if let error, !Task.isCancelled { self.log(error, attempt: failedPasses) }
                let wait = error == nil ? Self.longestWait : self.retry.delay(failures: failedPasses)
                await self.signal.wait(atMost: wait)
            }
        }
    }

    /// Goes through all that are left, once.
    ///
    /// - Parameter last: where the pass before gave up. The next goes on behind it, so that sessions which fail each
    ///   time hold up no others.
    /// - Returns: the first failure.
    private func pass(from last: inout String) async -> (any Error)? {
        do {
            let begin = last
            var failures: [any Error] = []
            while !Task.isCancelled {
                let sessions = try await store.unannounced(after: last, limit: Self.page)
                let told = await announce(sessions, &failures)
                let isEnd = told == sessions.count && sessions.count < Self.page
                last = isEnd || told == 0 ? "" : sessions[told - 1].id
                if failures.count >= Self.failuresOfAPass { break }
                if last.isEmpty {
                    // Begun in the middle: those before it are the next pass's, at once.
                    if !begin.isEmpty { signal.signal() }
                    break
                }
            }
            return failures.first
        } catch {
            return error
        }
    }

    /// - Returns: how many of the first were tried, before chat counted as away.
    private func announce(_ sessions: [RetainedSession], _ failures: inout [any Error]) async -> Int {
        await withTaskGroup(of: (any Error)?.self) { group in
            var tried = 0
            while tried < sessions.count, failures.count < Self.failuresOfAPass {
                if tried >= Self.concurrency, let failure = await group.next() ?? nil { failures.append(failure) }
                let session = sessions[tried]
                group.addTask { await self.announce(session) }
                tried += 1
            }
            for await case let failure? in group { failures.append(failure) }
            return tried
        }
    }

    private func announce(_ session: RetainedSession) async -> (any Error)? {
        do {
            try await chat.setDeadline(of: session)
            try await store.noteAnnounced(session)
            return nil
        } catch {
            return error
        }
    }

    /// Nothing of an error but its code and reason, or its type, is safe to say.
    private func log(_ error: any Error, attempt: Int) {
        var metadata = ErasureScheduler.metadata(error)
        metadata[LogKey.attempt] = .stringConvertible(attempt)
        logger.warning("chat could not be told of earlier deadlines; it will be tried again", metadata: metadata)
    }
}
