internal import ChatCore
internal import Contracts
internal import Privacy
internal import RPC
internal import ServiceKit

/// What retention needs of a session's content: to read all of it, and to erase all of it.
struct SessionLog: Sendable {
    /// Questions, and bytes of them, that are read at once, so that a log of any length takes the same memory, also when
    /// its reader is slow.
    private static let batch = BatchBound(questions: 200, bytes: 64 * 1024)

    let store: any SessionStore
    let directory: SessionDirectory
    let feed: LiveFeed
    let places: WatcherPlaces
    let clock: any WallClock

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
            let batch = try await store.questions(
                .seenBy(.moderator), of: session.id, after: after, bound: SessionLog.batch)
            for question in batch.questions {
                if directory.isPast(session) { throw ChatError.sessionNotFound }
                let cipher = try await directory.cipher(for: question, of: session)
                let message = try Messages.question(question, opening: cipher)
                try await writer.send(ChatV1.SessionLogEntry(entry: .question(message)))
                after = question.number
            }
            isLast = batch.isLast
        }
    }

    /// Forgets the key in memory and ends the feed, and then takes the content away. Needs no key, no retention and no room
    /// on the disk, and works past the session's time.
    func erase(_ sessionID: String) async throws -> ErasureEvidence {
        try await store.erase(sessionID, at: clock.confirmed()) { [directory, feed] in
            directory.remove(sessionID)
            feed.end(sessionID, .sessionNotFound)
        }
    }
}
