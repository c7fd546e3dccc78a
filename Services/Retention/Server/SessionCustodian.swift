import Foundation
package import Privacy
import RetentionCore
package import ServiceKit

/// Hands out session keys, to chat alone, for as long as a session may be read; and learns when sessions end.
package struct SessionCustodian: Sendable {
    private let store: RetentionStore
    private let keys: KeyStore
    private let clock: any WallClock
    private let refusals: Refusals

    package init(store: RetentionStore, keys: KeyStore, clock: any WallClock, refusals: Refusals) {
        self.store = store
        self.keys = keys
        self.clock = clock
        self.refusals = refusals
    }

    /// Registers a session and makes its key. The same session again: the same key.
    ///
    /// - Throws: `RetentionError`: `agreementRequired`; `tooManySessions`; `sessionNotFound` for one that is erased or
    ///   somebody else's.
    func open(sessionID: String, organisationID: String) async throws -> (RetainedSession, SessionKey) {
        if let known = try await store.session(sessionID) {
            guard known.organisationID == organisationID else { throw RetentionError.sessionNotFound }
            return try await key(ofSession: sessionID)
        }
        guard try await store.agreement(of: organisationID) != nil else { throw RetentionError.agreementRequired }
        guard try await store.hasRoom(for: organisationID) else {
            refusals.count(LongCallLimits.sessions)
            throw RetentionError.tooManySessions
        }
        // The key first: a registered session without a key would be one whose content is lost.
        let key = try await keys.keyOrNew(forSession: sessionID)
        let session = try await store.register(sessionID: sessionID, organisationID: organisationID, at: clock.now())
        guard session.organisationID == organisationID else { throw RetentionError.sessionNotFound }
        guard session.isVisible(at: clock.now()) else {
            // Registered and erased by others in between: the key made here belongs to nothing.
            try await keys.destroy([sessionID])
            throw RetentionError.sessionNotFound
        }
        return (session, key)
    }

    /// - Throws: `RetentionError`: `sessionNotFound` for an unknown session, and from its time of erasure on;
    ///   `keyLost` when a session that may be read has none.
    func key(ofSession id: String) async throws -> (RetainedSession, SessionKey) {
        let key = try await keys.key(ofSession: id)
        // Read after the key: whoever is given it was allowed to have it at that moment.
        guard let session = try await store.session(id), session.isVisible(at: clock.now()) else {
            throw RetentionError.sessionNotFound
        }
        guard let key else { throw RetentionError.keyLost }
        return (session, key)
    }

    /// Fixes the time of erasure of a session that has ended. Ended already: the same time, or the earlier one that a
    /// policy has set since.
    ///
    /// - Throws: `RetentionError.sessionNotFound` for an unknown session, and once its erasure has begun.
    func end(sessionID: String, at endTime: Date) async throws -> Date {
        let now = clock.now()
        let session = try await store.change(sessionID) { session in
            if session.erasure == .live { session.end(at: endTime, now: now) }
        }
        guard let session, session.erasure == .live, let deleteTime = session.deleteTime else {
            throw RetentionError.sessionNotFound
        }
        return deleteTime
    }
}
