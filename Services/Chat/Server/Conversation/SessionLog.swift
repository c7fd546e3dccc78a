internal import ChatCore
internal import Contracts
internal import RPC

/// What retention needs of a session's content: to read all of it, and to erase all of it.
struct SessionLog: Sendable {
    /// Questions read at once, so that a log of any length takes the same memory.
    private static let batch = 200

    let store: ChatStore
    let directory: SessionDirectory
    let feed: LiveFeed

    /// Sends the session, then every question in the order asked.
    func read(_ sessionID: String, writer: ResponseWriter<ChatV1.SessionLogEntry>) async throws {
        let session = try await directory.session(sessionID)
        try await writer.send(ChatV1.SessionLogEntry(entry: .session(Messages.session(session))))
        var after: Int64 = 0
        var isLast = false
        while !isLast {
            let batch = try await store.questions(
                .seenBy(.moderator), of: session.row, after: after, limit: SessionLog.batch)
            for question in batch.questions {
                if directory.isPast(session) { throw ChatError.sessionNotFound }
                let message = try Messages.question(question, opening: session.cipher)
                try await writer.send(ChatV1.SessionLogEntry(entry: .question(message)))
                after = question.number
            }
            isLast = batch.isLast
        }
    }

    /// Erases every row, the key in memory and the feed. Returns when the store's files are clean. Needs no key and no
    /// retention, and works past the session's time; what is not there takes no erasing.
    func erase(_ sessionID: String) async throws -> ErasedRows {
        try await store.erase(sessionID) { [directory, feed] in
            directory.remove(sessionID)
            feed.end(sessionID, .sessionNotFound)
        }
    }
}
