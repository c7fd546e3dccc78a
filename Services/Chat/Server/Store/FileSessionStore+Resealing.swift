package import ChatCore
internal import Foundation
internal import Storage
internal import Synchronization

// A change of keys: the session is written anew beside its file while it is used, then the rest is copied in the file's
// own turn, and the new file takes the old one's place.
extension FileSessionStore {
    static let resealingSuffix = ".resealing"
    static func resealingName(of id: String) -> String { id + resealingSuffix }

    package func reseal(
        _ id: String, to version: Int,
        by seal: @escaping @Sendable ([UInt8], SessionCipher.Field) throws -> [UInt8],
        onCommit: @escaping @Sendable (StoredSession) -> Void
    ) async throws -> StoredSession {
        let (session, begun) = try await feedPosition(of: id)
        guard session.keyVersion + 1 == version else { return session }
        let organisation = session.record.organisationID
        let other = try await work(for: organisation) { [folder] in
            // Of an earlier attempt.
            _ = try folder.remove(Self.resealingName(of: id))
            return try ResealedFile(creating: folder.path(of: Self.resealingName(of: id)), of: session, by: seal)
        }
        do {
            try await copy(id, of: organisation, to: other)
            let resealed = try await locks.hold(id) {
                try await announcingChange(of: id) {
                    try await exchange(id, for: other, to: version, by: seal, begun: begun, onCommit: onCommit)
                }
            }
            // The title was in the index under the old key.
            compaction.withLock { $0.isNeeded = true }
            return resealed
        } catch {
            try? await work(for: organisation) { [folder] in
                other.close()
                _ = try folder.remove(Self.resealingName(of: id))
            }
            throw error
        }
    }

    /// Copies until little is left. The session goes on meanwhile; its erasure ends this.
    private func copy(_ id: String, of organisation: String, to other: ResealedFile) async throws {
        while true {
            let progress = other.progress
            let rows = try await with(id) { file in try await file.read { content in try content.rows(after: progress) }
            }
            try await work(for: organisation) { try other.append(rows) }
            if !rows.isFull { return }
        }
    }

    private func exchange(
        _ id: String, for other: ResealedFile, to version: Int, by seal: @escaping ResealedFile.Seal, begun: Int64,
        onCommit: @escaping @Sendable (StoredSession) -> Void
    ) async throws -> StoredSession {
        try await with(id) { file in
            try await file.alone { [folder, step] file in
                let session = try file.exchange(
                    complete: { content in
                        let session = try content.complete(other, to: version, by: seal, begun: begun)
                        try step(.resealStored)
                        return session
                    },
                    replace: {
                        try folder.replace(OpenFiles.name(of: id), by: Self.resealingName(of: id))
                        try step(.resealExchanged)
                    })
                onCommit(session)
                return session
            }
        }
    }

    /// Runs something on one of the threads that work on sessions' files.
    private func work<Value: Sendable>(
        for organisation: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withUnsafeThrowingContinuation { continuation in
            let isAccepted = files.workers.run(for: organisation) { continuation.resume(with: Result { try body() }) }
            if !isAccepted { continuation.resume(throwing: StorageError(.closed, "the store is closed")) }
        }
    }
}
