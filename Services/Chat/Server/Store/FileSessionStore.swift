internal import ChatCore
internal import Dispatch
internal import Foundation
package import Privacy
internal import ServiceKit
package import Storage
internal import Synchronization

/// Sessions in files, one each: `sessions/ID.sqlite`, and `index.sqlite` for what finds them. This process alone uses the
/// folder.
package final class FileSessionStore: SessionStore {
    /// How often something is looked up again that was closed in the meantime.
    private static let lookups = 100

    let folder: DatabaseFolder
    let index: SessionIndex
    let files: OpenFiles
    let reports: StoreReports
    let limits: StoreLimits
    let locks = SessionLocks()
    /// For what is listed by the page. Within sessions, organisations take turns at the threads.
    let turns = Turns(width: SQLiteStore.Configuration().readerLimit)
    let erasures = Mutex(Erasures())
    let compaction = Mutex(Compaction())
    let reserve: DiskReserve?
    let step: @Sendable (StoreStep) throws -> Void

    /// What is being erased, and what the index could not be told yet.
    struct Erasures: Sendable {
        /// Sessions that nobody gets at any more.
        var barred: Set<String> = []
        var unrecorded: [String: ErasureEvidence] = [:]
    }

    /// When the index is rewritten, so that no byte of a row that was deleted is left in it.
    struct Compaction: Sendable {
        var isNeeded = false
        var last: ContinuousClock.Instant?
    }

    /// Opens a store, and completes what a crash left unfinished. Reads the folder's list and the index, and opens no
    /// session's file that is in order.
    /// - Parameters:
    ///   - path: Of the folder; created where missing.
    ///   - whenGathered: Runs something once the calls that were read together have begun.
    ///   - reserve: What is kept on the disk for erasing.
    ///   - step: Throws where a crash is to be played.
    /// - Throws: `StorageError`.
    package init(
        in path: String, limits: StoreLimits = StoreLimits(), reports: StoreReports,
        whenGathered: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() },
        reserve: DiskReserve? = nil,
        step: @escaping @Sendable (StoreStep) throws -> Void = { _ in }
    ) async throws {
        self.limits = limits
        self.reports = reports
        self.reserve = reserve
        self.step = step
        // The index first: its lock keeps others out of the folder.
        index = try SessionIndex(path: "\(path)/index.sqlite", reserve: reserve)
        folder = try DatabaseFolder("\(path)/sessions")
        files = OpenFiles(in: folder, limits: limits, reports: reports, whenGathered: whenGathered)
        do {
            try await beginAnewIfRestored(in: DatabaseFolder(path))
            try await inspect()
        } catch {
            await close()
            throw error
        }
    }

    /// What puts a copy of the folder back leaves an empty file of this name beside the index.
    package static let restoredMarker = "restored"

    /// Sequences that were issued after the copy was made will be issued again: positions of that time are good for
    /// nothing. Cut short, it is done again.
    private func beginAnewIfRestored(in folder: DatabaseFolder) async throws {
        guard try folder.names().contains(Self.restoredMarker) else { return }
        try await index.drawFeedEpoch()
        try step(.feedEpochDrawn)
        _ = try folder.remove(Self.restoredMarker)
        try folder.synchronise()
        reports.restored()
    }

    package func requireRoom() throws { try reserve?.admit() }

    /// Does what ends, shortens, deletes or erases, with the room that is kept for it if there is no other.
    func erasing<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        guard let reserve else { return try await body() }
        return try await reserve.erasing(body)
    }

    package func feedEpoch() async throws -> FeedEpoch { try await index.feedEpoch() }

    package func close() async {
        await withUnsafeContinuation { continuation in
            // It waits for threads, which nobody else's may.
            DispatchQueue(label: "samtal.store.closing").async { [files] in
                files.close()
                continuation.resume()
            }
        }
        await index.database.close()
    }

    /// The sessions' files that are open now.
    package var openFiles: Int { files.openCount }
}

// Finding a session's file.
extension FileSessionStore {
    /// Runs something on a session's file, wherever that is by now.
    func with<Value>(_ id: String, _ body: (SessionFile) async throws -> Value) async throws -> Value {
        for _ in 0..<FileSessionStore.lookups {
            do {
                return try await body(try await file(of: id))
            } catch is SessionFile.Retired {
                continue
            } catch let error as ChatError where error == .contentLost {
                // Erased since it was looked up?
                guard let entry = try await index.entry(id), entry.phase.isThere else {
                    throw ChatError.sessionNotFound
                }
                reports.missing(id, of: entry.session.record.organisationID)
                throw error
            }
        }
        throw StorageError(.busy, "a session's file is opened and closed too often")
    }

    private func file(of id: String) async throws -> SessionFile {
        if let file = files.find(id) { return file }
        guard !isBarred(id), let entry = try await index.entry(id), entry.phase.isThere else {
            throw ChatError.sessionNotFound
        }
        return files.findOrAdd(id, of: entry.session.record.organisationID)
    }

    func isBarred(_ id: String) -> Bool { erasures.withLock { $0.barred.contains(id) } }

    /// For whoever holds the session's lock: the file to itself.
    func alone<Value: Sendable>(
        _ id: String, of organisation: String, _ body: @escaping @Sendable (SessionFile) throws -> Value
    ) async throws -> Value {
        while true {
            do {
                return try await files.findOrAdd(id, of: organisation).alone(body)
            } catch is SessionFile.Retired {
                continue
            }
        }
    }
}
