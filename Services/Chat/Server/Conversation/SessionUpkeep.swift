internal import ChatCore
internal import Foundation
internal import Logging
internal import Privacy
internal import RPC
internal import ServiceKit
internal import ServiceLifecycle

/// What happens to sessions with time, with nobody asking for it: those that nobody ends are ended, retention is told of
/// every end and asked for earlier deadlines, whoever follows a session whose time has passed is cut off, and what
/// retention leaves behind is erased.
struct SessionUpkeep: Service {
    /// Sessions that are handled at once.
    private static let batch = 100
    /// In one round, before the round is given up.
    private static let reportsThatMayFail = 3
    /// How far the clock may be ahead of what is stored of it, in seconds.
    private static let clockSlack: TimeInterval = 60
    /// How long after its time a session is left to retention, in seconds. A retention that was restored from an older
    /// file may not know the session any more, and would never ask.
    private static let erasureGrace: TimeInterval = 3600

    let store: any SessionStore
    let directory: SessionDirectory
    let retention: Retention
    let sessions: Sessions
    let log: SessionLog
    let keyChanges: KeyChanges
    let feed: LiveFeed
    let clock: GuardedClock
    let limits: ChatLimits
    let interval: Duration
    let deadlineInterval: Duration
    let keyChangeDelay: Duration
    let logger: Logger

    func run() async throws {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await lookAfterSessions() }
            // Apart: sealing a large session anew takes its time, and the end of another must not wait for it.
            tasks.addTask { await changeKeys() }
        }
    }

    private func changeKeys() async {
        var pacing = Pacing()
        while !Task.isCancelled {
            if pacing.isDue(at: .now) {
                let succeeded = await attempt("changing keys") {
                    try await keyChanges.change(
                        deletedBy: clock.confirmed().addingTimeInterval(-(keyChangeDelay / .seconds(1))))
                }
                pacing.note(succeeded, at: .now)
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    private func lookAfterSessions() async {
        var reporting = Pacing()
        var erasing = Pacing()
        var asking = Pacing()
        var settling = Pacing()
        var storedTime = Date.distantPast
        while !Task.isCancelled {
            await attempt("storing the time") { try await storeTime(since: &storedTime) }
            await attempt("ending feeds") { try await endFeeds() }
            await attempt("ending sessions") { try await endSessions() }
            if reporting.isDue(at: .now) {
                let succeeded = await attempt("reporting ends") { try await reportEnds() }
                reporting.note(succeeded, at: .now)
            }
            if asking.isDue(at: .now) {
                let succeeded = await attempt("asking for deadlines") { try await askForDeadlines() }
                asking.note(succeeded, at: .now, again: deadlineInterval)
            }
            if erasing.isDue(at: .now) {
                let succeeded = await attempt("erasing what is overdue") { try await eraseOverdue() }
                erasing.note(succeeded, at: .now)
            }
            if settling.isDue(at: .now) {
                let succeeded = await attempt("settling the store") { try await store.settle(at: clock.confirmed()) }
                settling.note(succeeded, at: .now)
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// When to do again what was done, and to try again what failed.
    private struct Pacing {
        private var delay = RetryDelay()
        private var due: ContinuousClock.Instant?

        func isDue(at now: ContinuousClock.Instant) -> Bool { due.map { now >= $0 } ?? true }

        /// - Parameter interval: After a success; nil: each time.
        mutating func note(_ succeeded: Bool, at now: ContinuousClock.Instant, again interval: Duration? = nil) {
            if succeeded {
                delay.succeed()
                due = interval.map { now + $0 }
            } else {
                due = now + delay.next(jitter: Double.random(in: 0...1))
            }
        }
    }

    /// One failure must not keep the rest from being done; it is tried again.
    @discardableResult
    private func attempt(_ component: String, _ work: () async throws -> Void) async -> Bool {
        do {
            try await work()
            return true
        } catch {
            if !Task.isCancelled {
                let reason = (Status.of(error) as? RPCError)?.reason ?? ""
                logger.warning(
                    "a background step failed and will be tried again",
                    metadata: [
                        LogKey.component: .string(component), LogKey.errorType: .string("\(type(of: error))"),
                        LogKey.reason: .string(reason),
                    ])
            }
            return false
        }
    }

    private func storeTime(since stored: inout Date) async throws {
        let mark = clock.mark
        // Back, too: the operator may have set it right.
        guard abs(mark.time.timeIntervalSince(stored)) >= SessionUpkeep.clockSlack else { return }
        try await store.storeClockMark(mark)
        stored = mark.time
    }

    private func endFeeds() async throws {
        var failure: (any Error)?
        for id in feed.followed {
            // One that fails holds up no other, here and below.
            do {
                if try await directory.isGone(id) { feed.end(id, .sessionNotFound) }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func endSessions() async throws {
        let latest = clock.confirmed().addingTimeInterval(-TimeInterval(limits.sessionDays) * 86_400)
        var failed: [String: any Error] = [:]
        while true {
            let limit = SessionUpkeep.batch + failed.count
            let overdue = try await store.notEnded(createdBy: latest, limit: limit)
            for session in overdue where failed[session.id] == nil {
                // From the moment it should have ended, not from when that was noticed.
                do {
                    try await change(session) { [limits] record in
                        record.end(at: record.latestEnd(maximumDays: limits.sessionDays))
                    }
                } catch { failed[session.id] = error }
                if Task.isCancelled { return }
            }
            if overdue.count < limit { break }
        }
        if let failure = failed.values.first { throw failure }
    }

    private func reportEnds() async throws {
        var after: String?
        var failures: [any Error] = []
        var isLast = false
        while !isLast {
            let sessions = try await store.notReported(after: after, limit: SessionUpkeep.batch)
            for session in sessions {
                after = session.id
                do {
                    try await reportEnd(of: session)
                } catch {
                    // When several fail, retention itself is away: what can't be read here is not counted.
                    failures.append(error)
                    if Task.isCancelled || failures.count == SessionUpkeep.reportsThatMayFail { throw error }
                }
            }
            isLast = sessions.count < SessionUpkeep.batch
        }
        if let failure = failures.first { throw failure }
    }

    private func reportEnd(of session: StoredSession) async throws {
        guard let endTime = session.record.endTime else { return }
        let counts = try await Self.readable { try await store.counts(of: session.id) } ?? nil
        let questions = counts?.questions ?? 0
        switch try await retention.reportEnd(of: session.id, at: endTime, questions: questions) {
        case .acknowledged(let deleteTime):
            var record = session.record
            if let deleteTime, record.adopt(deleteTime: deleteTime) {
                // Of one that can't be read the end is known all the same, and retention erases it in time.
                _ = try await Self.readable { try await change(session) { $0.adopt(deleteTime: deleteTime) } }
            }
        case .erased:
            directory.remove(session.record.id)
            feed.end(session.record.id, .sessionNotFound)
        }
        // Last: cut short before, the report is made again, which changes nothing.
        try await store.noteEndReported(session.id)
    }

    /// - Returns: nil for a session whose content is damaged or missing.
    private static func readable<Value>(_ body: () async throws -> Value) async throws -> Value? {
        do { return try await body() } catch let error as ChatError where [.damaged, .contentLost].contains(error) {
            return nil
        }
    }

    /// Retention tells of earlier deadlines by itself; this finds what was not heard, before its time comes.
    private func askForDeadlines() async throws {
        var after: String?
        var failure: (any Error)?
        while !Task.isCancelled {
            let stored = try await store.sessions(after: after, limit: Retention.deadlinesAtOnce)
            guard let last = stored.last else { break }
            let known = Dictionary(uniqueKeysWithValues: stored.map { ($0.record.id, $0.record) })
            let (deadlines, erased) = try await retention.deadlines(of: Array(known.keys))
            // Chat's folder is an older one: what has a certificate goes again. Nobody is given a key of it meanwhile.
            for id in erased where known[id] != nil {
                do { try await eraseAgain(id) } catch { failure = error }
            }
            for deadline in deadlines {
                // Only what would change is written.
                guard var record = known[deadline.sessionID],
                    record.shorten(days: deadline.days, deleteTime: deadline.deleteTime)
                else { continue }
                do {
                    _ = try await sessions.shorten(
                        deadline.sessionID, days: deadline.days, deleteTime: deadline.deleteTime)
                } catch let error as ChatError where error == .sessionNotFound {
                    // Erased meanwhile.
                } catch { failure = error }
            }
            if stored.count < Retention.deadlinesAtOnce { break }
            after = last.id
        }
        if let failure { throw failure }
    }

    private func eraseAgain(_ id: String) async throws {
        let evidence = try await log.erase(id)
        guard evidence.content == .removed else { return }
        logger.warning(
            "a session that had been erased was there again, and is erased",
            metadata: [LogKey.bytes: .stringConvertible(evidence.bytes)])
    }

    /// Whoever asks for the erasure later is told the same counts.
    private func eraseOverdue() async throws {
        let time = clock.confirmed().addingTimeInterval(-SessionUpkeep.erasureGrace)
        var failed: [String: any Error] = [:]
        while !Task.isCancelled {
            let limit = SessionUpkeep.batch + failed.count
            let overdue = try await store.overdue(since: time, limit: limit)
            for id in overdue where failed[id] == nil {
                do { _ = try await log.erase(id) } catch { failed[id] = error }
            }
            if overdue.count < limit { break }
        }
        if let failure = failed.values.first { throw failure }
    }

    private func change(
        _ session: StoredSession, by change: @escaping @Sendable (inout SessionRecord) throws -> Bool
    ) async throws {
        _ = try await store.change(session.id, by: change) { [directory, feed] stored in
            directory.noteChange(stored)
            feed.publish(stored)
        }
    }
}
