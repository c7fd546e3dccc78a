package import ChatCore
package import Foundation
package import Privacy
internal import ServiceKit
internal import Storage

extension FileSessionStore {
    package func create(
        _ record: SessionRecord, sealedTitle: [UInt8], keyVersion: Int
    ) async throws -> StoredSession {
        let session = StoredSession(
            record: record, sealedTitle: sealedTitle, lastSequence: 1, keyVersion: keyVersion)
        return try await locks.hold(session.id) {
            try await index.add(session, .creating)
            try step(.creationListed)
            do {
                try await alone(session.id, of: record.organisationID) { [folder] file in
                    try file.create(session)
                    try folder.synchronise()
                }
            } catch {
                // At a full disk it is made room again; what can't be taken back now, `settle` takes back.
                try? await discard(session.id, of: record.organisationID)
                throw error
            }
            try step(.creationStored)
            do {
                try await index.note(session.id, .settled)
            } catch {
                try? await discard(session.id, of: record.organisationID)
                throw error
            }
            return session
        }
    }

    /// Takes away what there is of a session that was never there for anybody.
    func discard(_ id: String, of organisation: String) async throws {
        try await alone(id, of: organisation) { [folder] file in
            file.close()
            _ = try folder.remove(OpenFiles.name(of: id))
            try folder.synchronise()
        }
        try await index.remove(id)
    }

    package func session(_ id: String) async throws -> StoredSession? {
        guard !isBarred(id), let entry = try await index.entry(id) else { return nil }
        switch entry.phase {
        case .settled: return entry.session
        case .changing: return try await present(id)
        case .creating, .erasing: return nil
        }
    }

    /// - Returns: What the file says; nil if the session is not there.
    private func present(_ id: String) async throws -> StoredSession? {
        do {
            return try await with(id) { file in try await file.read { content in content.outline.session } }
        } catch let error as ChatError where error == .sessionNotFound {
            return nil
        }
    }

    package func change(
        _ id: String, by change: @escaping @Sendable (inout SessionRecord) throws -> Bool,
        onCommit: @escaping @Sendable (StoredSession) -> Void
    ) async throws -> StoredSession {
        try await changing(id) { content in _ = try content.change(by: change, onCommit: onCommit) }
    }

    package func delete(
        _ questionID: String, in sessionID: String, by author: [UInt8]?, at time: Date,
        onCommit: @escaping @Sendable (QuestionRecord) -> Void
    ) async throws {
        _ = try await changing(sessionID) { content in
            try content.delete(questionID, by: author, at: time, onCommit: onCommit)
        }
    }

    package func noteOldKeyDestroyed(_ id: String) async throws {
        _ = try await changing(id) { content in try content.change { $0.hasOldKey = false } }
    }

    /// Changes what both the session's file and its row say.
    private func changing(
        _ id: String, _ change: @escaping @Sendable (SessionContent) throws -> Void
    ) async throws -> StoredSession {
        try await erasing {
            try await locks.hold(id) {
                try await announcingChange(of: id) {
                    try await with(id) { file in
                        try await file.write { content in
                            try change(content)
                            return content.outline.session
                        }
                    }
                }
            }
        }
    }

    /// For whoever holds the session's lock. The file's commit decides; before it the row says that a change is under way,
    /// after it the row follows. Cut short in between, the row is brought up to date by ``settle(at:)``.
    /// - Parameter change: Returns the session as the file has it.
    func announcingChange(
        of id: String, _ change: () async throws -> StoredSession
    ) async throws -> StoredSession {
        guard !isBarred(id), let entry = try await index.entry(id), entry.phase.isThere else {
            throw ChatError.sessionNotFound
        }
        try await index.note(id, .changing)
        try step(.changeListed)
        let outcome: Result<StoredSession, any Error>
        do {
            outcome = .success(try await change())
        } catch {
            outcome = .failure(error)
        }
        try step(.changeStored)
        do {
            // A refusal by a rule has changed nothing; any other failure is looked into later.
            switch outcome {
            case .success(let session): try await index.settle(session)
            case .failure(is ChatError): try await index.note(id, entry.phase)
            case .failure: break
            }
        } catch {
            reports.postponed("bringing the index up to date", error)
        }
        return try outcome.get()
    }

    package func noteEndReported(_ id: String) async throws {
        try await index.noteEndReported(id)
    }

    package func sessions(
        of organisationID: String, at now: Date, after page: SessionPageKey?, limit: Int
    ) async throws -> [StoredSession] {
        try await turns.take([organisationID]) {
            try await index.sessions(of: organisationID, at: now, after: page, limit: limit)
        }
    }

    package func sessions(after id: String?, limit: Int) async throws -> [StoredSession] {
        try await index.sessions(after: id, limit: limit)
    }

    package func notEnded(createdBy time: Date, limit: Int) async throws -> [StoredSession] {
        try await index.notEnded(createdBy: time, limit: limit)
    }

    package func notReported(after id: String?, limit: Int) async throws -> [StoredSession] {
        try await index.notReported(after: id, limit: limit)
    }

    package func keysToChange(deletedBy time: Date, after id: String?, limit: Int) async throws -> [StoredSession] {
        try await index.keysToChange(deletedBy: time, after: id, limit: limit)
    }

    package func overdue(since time: Date, limit: Int) async throws -> [String] {
        try await index.overdue(since: time, limit: limit)
    }

    package func clockMark() async throws -> ClockMark? { try await index.clockMark() }

    package func storeClockMark(_ mark: ClockMark) async throws { try await index.storeClockMark(mark) }
}
