internal import ChatCore
internal import Contracts
internal import RPC
internal import ServiceKit

/// What retention needs of a session's content: to read all of it, and to erase all of it.
struct SessionLog: Sendable {
    /// Questions, and bytes of them, that are read at once, so that a log of any length takes the same memory, also when
    /// its reader is slow.
    private static let batch = 200
    private static let batchBytes = 64 * 1024

    let store: ChatStore
    let directory: SessionDirectory
    let feed: LiveFeed
    let places: WatcherPlaces

    /// Sends the session, then every question in the order asked.
    func read(_ sessionID: String, writer: ResponseWriter<ChatV1.SessionLogEntry>) async throws {
        let session = try await directory.session(sessionID)
        try await writer.send(ChatV1.SessionLogEntry(entry: .session(Messages.session(session))))
        // After the session itself, so that a reader of its state alone needs no place.
        let place = try places.log(of: session)
        defer { place.giveBack() }
        var after: Int64 = 0
        var isLast = false
        while !isLast {
            let batch = try await store.turns.take([session.record.organisationID]) {
                try await store.questions(
                    .seenBy(.moderator), of: session.row, after: after, limit: SessionLog.batch,
                    bytes: SessionLog.batchBytes)
            }
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
