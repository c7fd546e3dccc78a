internal import ChatCore
internal import Foundation
internal import Privacy

/// After something was deleted, gives a session a new content key: everything is sealed anew, and retention destroys the key
/// that opened copies of what was deleted, wherever they may lie.
///
/// Every step can be repeated: which key a session needs is said by its file.
struct KeyChanges: Sendable {
    /// Sessions that are looked at together.
    private static let batch = 100

    let store: any SessionStore
    let directory: SessionDirectory
    let retention: Retention
    let feed: LiveFeed

    /// Changes the keys of sessions in which something was deleted at `time` or before.
    func change(deletedBy time: Date) async throws {
        var failure: (any Error)?
        var after: String?
        while !Task.isCancelled {
            let due = try await store.keysToChange(deletedBy: time, after: after, limit: KeyChanges.batch)
            for session in due {
                // One that fails holds up no other.
                do { try await changeKey(of: session, deletedBy: time) } catch { failure = error }
            }
            guard due.count == KeyChanges.batch, let last = due.last else { break }
            after = last.id
        }
        if let failure { throw failure }
    }

    private func changeKey(of session: StoredSession, deletedBy time: Date) async throws {
        do {
            var session = session
            // What an earlier change left behind comes first: retention has room for one next key.
            if session.hasOldKey { session = try await finish(session) }
            guard let deletedSince = session.deletedSince, deletedSince <= time else { return }
            let keys = try await retention.beginKeyChange(of: session.id, from: session.keyVersion)
            let next = session.keyVersion + 1
            guard let old = SessionCipher(sessionID: session.id, keys: keys, version: session.keyVersion),
                let new = SessionCipher(sessionID: session.id, keys: keys, version: next)
            else { throw ChatError.damaged }
            session = try await store.reseal(
                session.id, to: next, by: { sealed, field in try new.seal(try old.open(sealed, as: field), as: field) },
                onCommit: { [directory, feed] stored in
                    directory.noteKeyChange(stored, cipher: new)
                    feed.noteKeyChange(of: stored.id, cipher: new)
                })
            if session.hasOldKey { _ = try await finish(session) }
        } catch let error as ChatError where error == .sessionNotFound {
            // Erased meanwhile, and all its keys with it.
        }
    }

    private func finish(_ session: StoredSession) async throws -> StoredSession {
        try await retention.finishKeyChange(of: session.id, to: session.keyVersion)
        try await store.noteOldKeyDestroyed(session.id)
        var session = session
        session.hasOldKey = false
        return session
    }
}
