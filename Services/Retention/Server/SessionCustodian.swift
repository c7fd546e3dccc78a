import Foundation
package import Privacy
import RetentionCore
package import ServiceKit

/// Hands out session keys, to chat alone, for as long as a session may be read; and learns when sessions end.
package struct SessionCustodian: Sendable {
    private let store: RetentionStore
    private let keyStore: SessionKeyStore
    private let chat: ChatNeighbour
    private let clock: any WallClock
    private let refusals: Refusals
    private let locks: SessionLocks
    private let pause: KeyChangePause

    /// - Parameters:
    ///   - locks: Of the sessions whose keys are being made, changed or destroyed.
    ///   - pause: While which no content key is changed.
    package init(
        store: RetentionStore, keys: SessionKeyStore, chat: ChatNeighbour, clock: any WallClock, refusals: Refusals,
        locks: SessionLocks, pause: KeyChangePause = KeyChangePause()
    ) {
        self.store = store
        keyStore = keys
        self.chat = chat
        self.clock = clock
        self.refusals = refusals
        self.locks = locks
        self.pause = pause
    }

    /// Registers a session and makes its keys. The same session again: the same keys.
    ///
    /// - Parameter maximumDays: After so many days chat ends it at the latest.
    /// - Throws: `RetentionError`: `agreementRequired`; `tooManySessions`; `sessionNotFound` for one that is erased or
    ///   somebody else's.
    func open(sessionID: String, organisationID: String, maximumDays: Int) async throws -> (
        RetainedSession, SessionKeys
    ) {
        if let known = try await store.session(sessionID) {
            guard known.organisationID == organisationID else { throw RetentionError.sessionNotFound }
            return try await keys(ofSession: sessionID)
        }
        return try await locks.withLock(sessionID) {
            guard try await store.agreement(of: organisationID) != nil else { throw RetentionError.agreementRequired }
            guard try await store.hasRoom(for: organisationID) else {
                refusals.count(LongCallLimits.sessions)
                throw RetentionError.tooManySessions
            }
            return try await register(sessionID, organisationID, maximumDays)
        }
    }

    /// The keys first: a registered session without keys would be one whose content is lost. If it can't be registered,
    /// they are taken back.
    private func register(
        _ sessionID: String, _ organisationID: String, _ maximumDays: Int
    ) async throws -> (RetainedSession, SessionKeys) {
        let made = try await keyStore.keysOrNew(forSession: sessionID)
        do {
            let session = try await store.register(
                sessionID: sessionID, organisationID: organisationID, maximumDays: maximumDays, at: clock.confirmed())
            guard session.organisationID == organisationID, session.isVisible(at: clock.now()) else {
                throw RetentionError.sessionNotFound
            }
            return (session, made)
        } catch {
            // Registered by somebody else in between, and living: then the keys are that session's.
            if try await store.session(sessionID)?.erasure != .live {
                try await discardKeys(of: sessionID, ContentKeyVersions())
            }
            throw error
        }
    }

    /// - Throws: `RetentionError`: `sessionNotFound` for an unknown session, and from its time of erasure on;
    ///   `keyLost` when a session that may be read has none.
    func keys(ofSession id: String) async throws -> (RetainedSession, SessionKeys) {
        guard let known = try await visible(id) else { throw RetentionError.sessionNotFound }
        var held = try await keyStore.keys(ofSession: id, known.keys)
        // Read after the keys: whoever is given them was allowed to have them at that moment.
        guard let session = try await visible(id) else { throw RetentionError.sessionNotFound }
        if session.keys != known.keys { held = try await keyStore.keys(ofSession: id, session.keys) }
        guard let held else { throw RetentionError.keyLost }
        return (session, held)
    }

    /// Forgets a session of which chat never kept anything.
    ///
    /// - Throws: `RetentionError.sessionInUse` if chat has it, it has ended, or its erasure has begun. `RPCError`
    ///   UNAVAILABLE while chat can't be asked.
    func withdraw(_ id: String) async throws {
        try await locks.withLock(id) {
            guard let known = try await store.session(id) else { return }
            // What chat once held and does not find now may lie elsewhere: that takes an erasure, which says so.
            guard known.mayHaveHeldNothing else { throw RetentionError.sessionInUse }
            guard case .absent = try await chat.stage(ofSession: id) else { throw RetentionError.sessionInUse }
            guard let session = try await store.withdraw(id) else { return }
            try await discardKeys(of: id, session.keys)
        }
    }

    /// Destroys keys of which nothing was sealed that anybody kept, and no certificate tells.
    private func discardKeys(of id: String, _ versions: ContentKeyVersions) async throws {
        try await keyStore.destroy(Set(SessionKeyStore.everyName(ofSession: id, versions)))
    }

    /// Makes the next content key beside the one in use.
    ///
    /// - Throws: `RetentionError`: `sessionNotFound`; `otherKeyVersion`.
    func beginKeyChange(ofSession id: String, from version: Int64) async throws -> (RetainedSession, SessionKeys) {
        try pause.check()
        return try await locks.withLock(id) {
            let (session, _) = try await keys(ofSession: id)
            var versions = session.keys
            do { try versions.begin(from: version) } catch {
                throw RetentionError.otherKeyVersion(current: session.keys.current)
            }
            // The key first: a change on record has its key.
            try await keyStore.makeNext(forSession: id, versions)
            guard try await changeKeys(of: id, { try $0.begin(from: version) }) != nil else {
                if let version = versions.next { try await keyStore.destroy(version: version, ofSession: id) }
                throw RetentionError.sessionNotFound
            }
            return try await keys(ofSession: id)
        }
    }

    /// Puts the next content key in the place of the one in use, and destroys that one.
    ///
    /// - Throws: `RetentionError`: `sessionNotFound`; `otherKeyVersion`.
    func finishKeyChange(ofSession id: String, to version: Int64) async throws -> (RetainedSession, SessionKeys) {
        try pause.check()
        return try await locks.withLock(id) {
            guard let session = try await visible(id) else { throw RetentionError.sessionNotFound }
            do {
                _ = try await changeKeys(of: id) { try $0.adopt(version) }
            } catch is ContentKeyVersions.OutOfOrder {
                throw RetentionError.otherKeyVersion(current: session.keys.current)
            }
            try await retire(id)
            return try await keys(ofSession: id)
        }
    }

    /// Destroys content keys that others have replaced, where that was interrupted.
    package func retireKeys() async throws {
        var last = ""
        while true {
            let sessions = try await store.retiringKeys(after: last, limit: 100)
            for session in sessions { try await locks.withLock(session.id) { try await retire(session.id) } }
            guard sessions.count == 100, let id = sessions.last?.id else { return }
            last = id
        }
    }

    /// Whatever has become of the session, but for an erasure that is to destroy its keys: that tells of this one too.
    private func retire(_ id: String) async throws {
        guard let session = try await store.session(id), let version = session.keys.retiring,
            session.erasure.nextStep != .destroyKey
        else { return }
        try await keyStore.destroy(version: version, ofSession: id)
        _ = try await store.change(id) { $0.keys.retire() }
    }

    /// - Returns: nil when the session is not there, or no longer live.
    private func changeKeys(
        of id: String, _ change: @escaping @Sendable (inout ContentKeyVersions) throws -> Void
    ) async throws -> RetainedSession? {
        let session = try await store.change(id) { session in
            if session.erasure == .live { try change(&session.keys) }
        }
        return session?.erasure == .live ? session : nil
    }

    private func visible(_ id: String) async throws -> RetainedSession? {
        guard let session = try await store.session(id), session.isVisible(at: clock.now()) else { return nil }
        return session
    }

    /// Fixes the time of erasure of a session that has ended. Ended already: the same time, or the earlier one that a
    /// policy has set since.
    ///
    /// - Parameter questions: how many chat says it holds.
    /// - Throws: `RetentionError.sessionNotFound` for an unknown session, and once its erasure has begun.
    func end(sessionID: String, at endTime: Date, questions: Int64) async throws -> Date {
        // Not the confirmed time: chat may have confirmed a step a moment before this does.
        let now = clock.now()
        let session = try await store.change(sessionID) { session in
            guard session.erasure == .live else { return }
            session.note(questions: questions)
            session.end(at: endTime, now: now)
        }
        guard let session, session.erasure == .live, let deleteTime = session.deleteTime else {
            throw RetentionError.sessionNotFound
        }
        return deleteTime
    }
}
