package import Privacy
package import RetentionCore
import Storage
import Synchronization

/// Erases sessions: the keys, the content, the certificate, in this order and each once. What it does next is read from
/// the store each time, so it goes on from wherever an erasure stopped.
package final class Eraser: Sendable {
    /// Sessions whose keys are destroyed together: one fdatasync for all of them.
    private static let keyBatch = 500

    private let store: RetentionStore
    private let keys: SessionKeyStore
    private let chat: ChatNeighbour
    private let signer: LedgerSigner
    private let anchor: LedgerAnchor
    private let region: Region
    private let clock: any WallClock
    private let hooks: ErasureHooks
    private let locks: SessionLocks
    /// One batch of keys at a time is destroyed, so that what is seen of a session is on record before somebody else
    /// looks and finds nothing. No session is called this.
    private static let destroying = " keys"
    /// What was seen of sessions whose keys are destroyed while that could not be stored.
    private let unstored = Mutex<[String: KeyDestruction]>([:])

    /// - Parameter locks: of the sessions whose keys are being made, changed or destroyed.
    package init(
        store: RetentionStore, keys: SessionKeyStore, chat: ChatNeighbour, signer: LedgerSigner, anchor: LedgerAnchor,
        region: Region, clock: any WallClock, locks: SessionLocks, hooks: ErasureHooks = ErasureHooks()
    ) {
        self.store = store
        self.keys = keys
        self.chat = chat
        self.signer = signer
        self.anchor = anchor
        self.region = region
        self.clock = clock
        self.hooks = hooks
        self.locks = locks
    }

    /// Erases a session because somebody asks for it. Erased already: the same certificate, whoever asked then.
    ///
    /// - Throws: `RetentionError`: `sessionNotFound`, or `sessionOpen` for one that is neither a draft nor ended.
    ///   `RPCError` UNAVAILABLE while chat can't be reached; the key is destroyed all the same, if it is known that the
    ///   session may be erased, and the rest is done without being asked again.
    package func erase(_ id: String, by requester: ErasureRequester) async throws -> Certificate {
        try await locks.withLock(id) {
            guard let session = try await store.session(id) else { throw RetentionError.sessionNotFound }
            if session.erasure == .live {
                if session.endTime == nil { try await learnEnd(of: id) }
                _ = try await store.change(id) { $0.requestErasure(by: requester) }
            }
            return try await finish(id)
        }
    }

    /// Goes on with an erasure that has begun.
    package func resume(_ id: String) async throws -> Certificate {
        try await locks.withLock(id) { try await finish(id) }
    }

    /// Begins the erasure of every session whose time has passed, and destroys the keys of those and of all that were
    /// asked for. Needs nobody: after it no overdue content can be read, even if chat is down for days. Nor does it need
    /// room on the disk: where nothing can be stored the keys go all the same, and the rest follows when there is room.
    package func destroyDueKeys() async throws {
        do {
            while try await store.requestOverdue(at: clock.confirmed(), limit: Self.keyBatch) == Self.keyBatch {}
        } catch let error as StorageError where error.code == .full {
            try await destroyOverdueKeysUnstored()
            throw error
        }
        while true {
            let due = try await store.awaitingKeyDestruction(limit: Self.keyBatch)
            guard !due.isEmpty else { return }
            try await destroyKeys(due)
        }
    }

    /// Chat knows whether a session without an end on record is a draft. A session that it has ended without managing
    /// to say so ends here first, so that the certificate knows its end.
    private func learnEnd(of id: String) async throws {
        let stage = try await chat.stage(ofSession: id)
        if stage != .absent { try await store.noteHeld([id]) }
        switch stage {
        case .open:
            throw RetentionError.sessionOpen
        case .ended(let time):
            let now = clock.now()
            _ = try await store.change(id) { $0.end(at: time, now: now) }
        case .draft, .absent:
            break
        }
    }

    /// Takes every step that is left.
    private func finish(_ id: String) async throws -> Certificate {
        while true {
            guard let session = try await store.session(id) else { throw RetentionError.sessionNotFound }
            switch session.erasure.nextStep {
            case .destroyKey: try await destroyKeys([id])
            case .eraseContent: try await eraseContent(of: session)
            case .certify:
                try hooks.before(.certify, id)
                if session.keyDestruction?.slots == 0 { try await lookForKeys(of: session) }
                return try await store.certify(id, signer: signer, anchor: anchor, region: region) { [hooks] in
                    try hooks.beforeStoring(.certify, id)
                }
            case nil:
                guard let certificate = try await store.certificate(ofSession: id) else {
                    throw RetentionError.certificateNotFound
                }
                return certificate
            }
        }
    }

    private func destroyKeys(_ ids: [String]) async throws {
        for id in ids { try hooks.before(.destroyKey, id) }
        try await locks.withLock(Self.destroying) {
            let sessions = try await store.sessions(ids)
            anchor.note(erasing: sessions)
            let seen = try await destroyKeys(of: sessions)
            for id in ids { try hooks.beforeStoring(.destroyKey, id) }
            try await store.markKeysDestroyed(seen, at: clock.confirmed())
            unstored.withLock { unstored in for (id, _) in seen { unstored[id] = nil } }
            try await keys.noted(sessions.map { ($0.id, $0.keys) })
        }
    }

    /// No key was found when the session's were to be destroyed: if they are there now, they go, and are certified.
    ///
    /// - Throws: `RetentionError.keysMissing` if they are not.
    private func lookForKeys(of session: RetainedSession) async throws {
        try await locks.withLock(Self.destroying) {
            guard let seen = try await keys.destroyAll(of: [(session.id, session.keys)]).first, seen.slots > 0 else {
                throw RetentionError.keysMissing
            }
            let time = LedgerTime.rounded(clock.confirmed())
            _ = try await store.change(session.id) { try $0.foundKeys(seen, at: time) }
            try await keys.noted([(session.id, session.keys)])
        }
    }

    /// - Returns: what was seen of each, now and when it could not be stored.
    private func destroyKeys(
        of sessions: [RetainedSession]
    ) async throws -> [(id: String, destruction: KeyDestruction)] {
        let seen = try await keys.destroyAll(of: sessions.map { ($0.id, $0.keys) })
        return unstored.withLock { unstored in
            zip(sessions, seen).map { session, destruction in
                let whole = unstored[session.id].map { destruction.slots > 0 ? destruction : $0 } ?? destruction
                unstored[session.id] = whole
                return (session.id, whole)
            }
        }
    }

    /// The keys of sessions whose time has passed and whose erasure can't be begun on record.
    private func destroyOverdueKeysUnstored() async throws {
        var last = ""
        while true {
            let due = try await store.overdue(at: clock.confirmed(), after: last, limit: Self.keyBatch)
            guard let end = due.last?.id else { return }
            let fresh = due.filter { session in unstored.withLock { $0[session.id] == nil } }
            _ = try await locks.withLock(Self.destroying) { try await destroyKeys(of: fresh) }
            last = end
        }
    }

    /// - Throws: `RetentionError.contentMissing` if chat has nothing of a session that it once held: then its store is not
    ///   the one that it had, and the content may lie elsewhere.
    private func eraseContent(of session: RetainedSession) async throws {
        try hooks.before(.eraseContent, session.id)
        let (content, region) = try await chat.eraseContent(ofSession: session.id)
        if content.found == .neverHeld, !session.mayHaveHeldNothing {
            throw RetentionError.contentMissing(asked: session.questionCount)
        }
        try hooks.beforeStoring(.eraseContent, session.id)
        let time = LedgerTime.rounded(clock.confirmed())
        _ = try await store.change(session.id) { session in
            if session.erasure.nextStep == .eraseContent {
                try session.erasedContent(content, in: region, at: time)
            }
        }
    }
}
