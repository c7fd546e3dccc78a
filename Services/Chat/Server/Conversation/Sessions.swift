internal import ChatCore
internal import Contracts
internal import Foundation
internal import Privacy

/// The life of sessions.
struct Sessions: Sendable {
    /// Keys that are fetched at the same time to list sessions.
    private static let openings = 8

    let storeTag: String
    let store: any SessionStore
    let directory: SessionDirectory
    let retention: Retention
    let feed: LiveFeed
    let clock: any WallClock
    let limits: ChatLimits

    /// - Throws: UNAVAILABLE naming retention, or what retention says against it.
    func create(title: String, organisationID: String) async throws -> ChatV1.Session {
        try store.requireRoom()
        let id = Identifier.random(prefix: storeTag + "-")
        let (keys, retentionDays) = try await retention.openSession(
            id, organisationID: organisationID, maximumDays: limits.sessionDays)
        guard let cipher = SessionCipher(sessionID: id, keys: keys, version: keys.version) else {
            throw ChatError.damaged
        }
        let record = SessionRecord(
            id: id, organisationID: organisationID, createTime: clock.confirmed(), retentionDays: retentionDays)
        let stored: StoredSession
        do {
            stored = try await store.create(
                record, sealedTitle: cipher.seal(title, as: .title), keyVersion: cipher.version)
        } catch {
            // Or its keys would lie with retention until the session's latest end. If that fails too, they do.
            try? await retention.withdrawSession(id)
            throw error
        }
        let session = OpenedSession(stored: stored, cipher: cipher, title: title)
        directory.add(session)
        return Messages.session(session)
    }

    func get(_ id: String) async throws -> ChatV1.Session {
        Messages.session(try await directory.session(id))
    }

    func open(_ id: String, organisationID: String) async throws -> ChatV1.Session {
        try store.requireRoom()
        return try await change(id, organisationID: organisationID) { [clock] record in
            try record.open(at: clock.confirmed())
        }
    }

    /// Retention hears of it in the background (``SessionUpkeep``), whether it is up now or not.
    func end(_ id: String, organisationID: String) async throws -> ChatV1.Session {
        try await change(id, organisationID: organisationID) { [clock] record in record.end(at: clock.confirmed()) }
    }

    /// Takes over from retention that a session has to go earlier; later never. Needs no key.
    /// - Throws: ``ChatError/sessionNotFound`` for an unknown or erased one.
    func shorten(_ id: String, days: Int, deleteTime: Date?) async throws -> SessionRecord {
        try await store.change(
            id, by: { record in record.shorten(days: days, deleteTime: deleteTime) },
            onCommit: { [directory, feed] stored in
                directory.noteChange(stored)
                feed.publish(stored)
            }
        ).record
    }

    /// - Returns: The session, and the participant's token.
    func join(_ id: String, name: String) async throws -> (session: ChatV1.Session, token: String) {
        let session = try await directory.session(id)
        do throws(PrivacyError) {
            let token = try ParticipantToken.seal(
                participantID: Identifier.random(), name: name, sessionID: session.id, key: session.cipher.tokenKey)
            return (Messages.session(session), token)
        } catch {
            guard error.code == .tooLong else { throw error }
            throw ChatError.invalid("display_name", "must have fewer combined characters")
        }
    }

    /// An organisation's sessions, newest first.
    /// - Parameter page: The key of the last session on the page before; nil for the first page.
    /// - Returns: The sessions, and the key of the page's last one unless it is the last page.
    func list(
        organisationID: String, pageSize: Int, after page: SessionPageKey?
    ) async throws -> (sessions: [ChatV1.Session], nextPage: SessionPageKey?) {
        let now = clock.now()
        var stored = try await store.sessions(of: organisationID, at: now, after: page, limit: pageSize + 1)
        let isLast = stored.count <= pageSize
        if !isLast { stored.removeLast() }
        let sessions = try await open(stored)
        return (sessions.map(Messages.session), isLast ? nil : stored.last.map(SessionPageKey.init))
    }

    /// In the order given, without those whose key is destroyed.
    private func open(_ stored: [StoredSession]) async throws -> [OpenedSession] {
        try await withThrowingTaskGroup(of: (Int, OpenedSession?).self) { group in
            var opened = [OpenedSession?](repeating: nil, count: stored.count)
            for (index, session) in stored.enumerated() {
                if index >= Sessions.openings, let (done, session) = try await group.next() { opened[done] = session }
                group.addTask { (index, try await directory.open(session)) }
            }
            for try await (done, session) in group { opened[done] = session }
            return opened.compactMap(\.self)
        }
    }

    private func change(
        _ id: String, organisationID: String, by change: @escaping @Sendable (inout SessionRecord) throws -> Bool
    ) async throws -> ChatV1.Session {
        let session = try await directory.session(id, of: organisationID)
        let changed = try await store.change(session.id, by: change) { [directory, feed] stored in
            directory.noteChange(stored)
            feed.publish(stored)
        }
        return Messages.session(session.changed(to: changed))
    }
}

/// As a page token.
extension SessionPageKey {
    /// Far beyond every session, and small enough that a time made of it can be counted in milliseconds again: a page
    /// token is anybody's text.
    private static let milliseconds: Range<Int64> = 0..<(1 << 48)

    /// - Throws: ``ChatError`` for a text that ``text`` did not make.
    init(_ text: String) throws(ChatError) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), Self.milliseconds.contains(milliseconds),
            Identifier.isValid(String(parts[1]))
        else {
            throw .invalid("page_token", "is not a page token of this method")
        }
        self.init(createTime: Date(milliseconds: milliseconds), id: String(parts[1]))
    }

    var text: String { "\(createTime.milliseconds) \(id)" }
}
