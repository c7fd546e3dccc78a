package import ChatCore
internal import Foundation
package import Privacy
internal import Synchronization

/// Finds sessions, and decides by chat's own clock which of them exist for anybody.
///
/// Records and keys are kept in memory, so a session that is in use needs neither the database nor retention. Keys are
/// nowhere else.
package final class SessionDirectory: Sendable {
    /// Readings of one session that are overtaken by changes before it is served without being kept.
    private static let readings = 3

    private let store: any SessionStore
    private let retention: Retention
    private let clock: any WallClock
    private let cache: Mutex<SessionCache>
    private let openings = SingleFlight<OpenedSession>()

    package init(store: any SessionStore, retention: Retention, clock: any WallClock, capacity: Int) {
        self.store = store
        self.retention = retention
        self.clock = clock
        cache = Mutex(SessionCache(capacity: capacity))
    }

    /// A session that exists for whoever asks.
    /// - Throws: ``ChatError/sessionNotFound`` for one that is unknown, erased, or past its time;
    ///   ``ChatError/retentionUnavailable`` if its key is not in memory and can't be fetched.
    func session(_ id: String) async throws -> OpenedSession {
        if let session = cache.withLock({ $0.session(id) }) { return try visible(session) }
        return try visible(try await openings.value(for: id) { try await self.load(id) })
    }

    /// The participant who holds a token of a session.
    /// - Throws: As ``session(_:)``; `PrivacyError` for a token that does not open.
    func participant(holding token: String, in id: String) async throws -> (session: OpenedSession, who: Participant) {
        if let (session, known) = cache.withLock({ $0.session(id, token: token) }), let known {
            return (try visible(session), known)
        }
        let session = try await session(id)
        let opened = try ParticipantToken.open(token, key: session.cipher.tokenKey)
        let participant = Participant(id: opened.participantID, name: opened.name)
        cache.withLock { $0.remember(participant, token: token, in: session.id) }
        return (session, participant)
    }

    /// A session of the organisation; another's does not exist.
    func session(_ id: String, of organisationID: String) async throws -> OpenedSession {
        let session = try await session(id)
        guard session.record.organisationID == organisationID else { throw ChatError.sessionNotFound }
        return session
    }

    /// Opens a session that was read with others.
    /// - Returns: nil if its key is destroyed.
    func open(_ stored: StoredSession) async throws -> OpenedSession? {
        if let session = cache.withLock({ $0.session(stored.record.id) }) { return session }
        // Read on its own rather than kept as it is: it may have changed since.
        do {
            return try await session(stored.record.id)
        } catch let error as ChatError where error == .sessionNotFound {
            return nil
        }
    }

    /// Whether a session is past its time or no longer there. Asks the database only for one that is not in memory.
    func isGone(_ id: String) async throws -> Bool {
        if let session = cache.withLock({ $0.session(id) }) { return !session.record.isVisible(at: clock.now()) }
        guard let stored = try await store.session(id) else { return true }
        return !stored.record.isVisible(at: clock.now())
    }

    /// Whether the session, if it is in memory, is past its time.
    func isPast(_ session: OpenedSession) -> Bool {
        let latest = cache.withLock { $0.session(session.id) } ?? session
        return !latest.record.isVisible(at: clock.now())
    }

    /// What opens a question of a session that was found before it: its content key may have changed in between.
    func cipher(for question: QuestionRecord, of session: OpenedSession) async throws -> SessionCipher {
        if session.cipher.version == question.keyVersion { return session.cipher }
        let present = try await self.session(session.id)
        if present.cipher.version == question.keyVersion { return present.cipher }
        remove(session.id)
        return try await self.session(session.id).cipher
    }

    // What follows is called in the order of the commits, on the writer's thread or before anyone knows the session.

    func add(_ session: OpenedSession) {
        cache.withLock { $0.add(session) }
    }

    func noteChange(_ stored: StoredSession) {
        cache.withLock { $0.change(to: stored) }
    }

    func noteKeyChange(_ stored: StoredSession, cipher: SessionCipher) {
        cache.withLock { $0.change(to: stored, cipher: cipher) }
    }

    /// Forgets a session and its key.
    func remove(_ id: String) {
        cache.withLock { $0.remove(id) }
    }

    private func visible(_ session: OpenedSession) throws(ChatError) -> OpenedSession {
        guard session.record.isVisible(at: clock.now()) else { throw .sessionNotFound }
        return session
    }

    /// Brings a session into memory, unless somebody has just done so.
    private func load(_ id: String) async throws -> OpenedSession {
        var keys: SessionKeys?
        for reading in 1... {
            let (known, generation) = cache.withLock { ($0.session(id), $0.generation) }
            if let known { return known }
            // Before the key is asked for: a session past its time does not exist, also while retention is down.
            guard let stored = try await store.session(id), stored.record.isVisible(at: clock.now()) else { break }
            // Fetched again if they do not fit: a change of keys may have come between.
            if keys?.content(ofVersion: stored.keyVersion) == nil { keys = try await retention.keys(of: id) }
            guard let keys else { break }
            guard let cipher = SessionCipher(sessionID: id, keys: keys, version: stored.keyVersion) else {
                if reading < SessionDirectory.readings { continue }
                throw ChatError.damaged
            }
            let session = try OpenedSession(stored: stored, cipher: cipher)
            if cache.withLock({ $0.keep(session, readAt: generation) }) { return session }
            if reading == SessionDirectory.readings { return session }
        }
        throw ChatError.sessionNotFound
    }
}
