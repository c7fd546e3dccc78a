internal import ChatCore
internal import Contracts
internal import Privacy
internal import RPC
internal import ServiceKit

/// Streams a session's feed: the present state of what changed, then each change as it happens.
struct Following: Sendable {
    /// Questions, and bytes of them, that are read at once: as much is in memory for each caller that does not read.
    private static let batch = BatchBound(questions: 100, bytes: 64 * 1024)

    let store: any SessionStore
    let directory: SessionDirectory
    let feed: LiveFeed

    /// Runs until the caller is gone or the feed ends.
    /// - Parameters:
    ///   - principal: Who follows.
    ///   - position: The last that the caller has seen; nil to begin with.
    /// - Throws: ``ChatError/resume`` for a caller that is too slow, and when the service drains;
    ///   ``ChatError/sessionNotFound`` from the moment the session does not exist any more.
    func follow(
        _ session: OpenedSession, as audience: Audience, by principal: Principal, after position: FeedPosition?,
        writer: ResponseWriter<ChatV1.SessionEvent>
    ) async throws {
        // Registered before the present state is read, so that nothing falls between the two.
        let watcher = try feed.follow(session, as: audience, by: principal)
        defer { feed.leave(watcher) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            // A caller that does not read holds its stream in the middle of a send; the end must not wait for it.
            tasks.addTask {
                if let ending = await watcher.ended() { throw ending }
            }
            tasks.addTask {
                let reached = try await sendPresent(session, to: watcher, after: position, writer: writer)
                try await sendLive(session, to: watcher, after: reached, writer: writer)
            }
            defer { tasks.cancelAll() }
            do {
                try await tasks.next()
            } catch let error as RPCError where error.code == .cancelled {
                // Cancelled with the service rather than by the caller: the caller is still there to be told.
                throw feed.isDraining ? ChatError.resume : error
            }
        }
    }

    /// Sends the present state of all that changed after a position, in the order of the changes, each once. A position that
    /// is none of this store's, or ahead of it, is worth nothing: everything is sent, and that it is.
    /// - Returns: The sequence that has been reached; what the hub has up to it is in what was sent.
    private func sendPresent(
        _ session: OpenedSession, to watcher: Watcher, after seen: FeedPosition?,
        writer: ResponseWriter<ChatV1.SessionEvent>
    ) async throws -> Int64 {
        let position = try await store.feedPosition(of: session.id)
        var sequence = seen?.sequence ?? 0
        if let seen, seen.epoch != feed.epoch || seen.sequence > position.sequence {
            try check(session)
            try await writer.send(ChatV1.SessionEvent(change: .reset(true)))
            sequence = 0
        }
        var sentSession =
            position.session.lastSequence <= sequence || !Audience.concernedBySession.contains(watcher.audience)
        var sent = sequence
        var isLast = false
        while !isLast {
            let batch = try await store.changedQuestions(
                of: session.id, for: watcher.audience, after: sent, through: position.sequence, bound: Following.batch)
            for question in batch.questions {
                if !sentSession, position.session.lastSequence < question.lastSequence {
                    try await send(position.session, of: session, writer: writer)
                    sentSession = true
                }
                try await send(question, of: session, as: watcher.audience, writer: writer)
                sent = question.lastSequence
            }
            isLast = batch.isLast
        }
        if !sentSession { try await send(position.session, of: session, writer: writer) }
        try await writer.send(feed.event(.caughtUp(true), at: position.sequence))
        return position.sequence
    }

    private func sendLive(
        _ session: OpenedSession, to watcher: Watcher, after sequence: Int64,
        writer: ResponseWriter<ChatV1.SessionEvent>
    ) async throws {
        while true {
            for change in try await watcher.next() where change.sequence > sequence {
                try check(session)
                try await writer.send(change.message)
            }
        }
    }

    private func send(
        _ stored: StoredSession, of session: OpenedSession, writer: ResponseWriter<ChatV1.SessionEvent>
    ) async throws {
        try check(session)
        let change = ChatV1.SessionEvent.Change.session(Messages.session(session.changed(to: stored)))
        try await writer.send(feed.event(change, at: stored.lastSequence))
    }

    private func send(
        _ question: QuestionRecord, of session: OpenedSession, as audience: Audience,
        writer: ResponseWriter<ChatV1.SessionEvent>
    ) async throws {
        try check(session)
        let change: ChatV1.SessionEvent.Change
        switch audience.view(of: question.state, wasPublished: question.wasPublished) {
        case .shown:
            let cipher = try await directory.cipher(for: question, of: session)
            change = .question(try Messages.question(question, opening: cipher))
        case .removed: change = .removedQuestionID(question.id)
        case .hidden: return
        }
        try await writer.send(feed.event(change, at: question.lastSequence))
    }

    /// At its time of erasure a session is invisible at once, also to those who are following it.
    private func check(_ session: OpenedSession) throws(ChatError) {
        if directory.isPast(session) { throw .sessionNotFound }
    }
}
