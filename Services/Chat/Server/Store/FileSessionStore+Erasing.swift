package import ChatCore
package import Foundation
internal import Storage
internal import Synchronization

// Erasing: nobody gets in; the row says so; the file is unlinked; the record is written and the row goes. What needs room
// on the disk may fail, and the content is gone all the same.
extension FileSessionStore {
    package func erase(
        _ id: String, at time: Date, forget: @escaping @Sendable () -> Void
    ) async throws -> ErasureEvidence {
        erasures.withLock { _ = $0.barred.insert(id) }
        files.find(id)?.refuse(ChatError.sessionNotFound)
        forget()
        return try await locks.hold(id) { try await takeAway(id, at: time) }
    }

    /// For whoever holds the session's lock.
    func takeAway(_ id: String, at time: Date) async throws -> ErasureEvidence {
        erasures.withLock { _ = $0.barred.insert(id) }
        if let evidence = erasures.withLock({ $0.unrecorded[id] }) {
            await conclude(id, evidence)
            return evidence
        }
        let entry = try await index.entry(id)
        let organisation = entry?.session.record.organisationID ?? ""
        let held = try await close(id, of: organisation)
        guard held.removable.files > 0, entry?.phase != .creating else {
            return try await settleGone(id, entry, at: time)
        }
        var evidence = ErasureEvidence(
            content: .removed, counts: held.counts, files: held.removable.files, bytes: held.removable.bytes,
            time: time.wholeMilliseconds)
        await announce(id, evidence)
        try step(.erasureListed)
        let removed = try await unlink(id, of: organisation)
        (evidence.files, evidence.bytes) = (removed.files, removed.bytes)
        try step(.erasureUnlinked)
        await conclude(id, evidence)
        return evidence
    }

    /// - Returns: What there is of the session's file, which is closed and stays so.
    private func close(
        _ id: String, of organisation: String
    ) async throws -> (counts: ContentCounts?, removable: DatabaseFolder.Removed) {
        try await alone(id, of: organisation) { [folder] file in
            file.refuse(ChatError.sessionNotFound)
            let counts = file.counts()
            file.close()
            return (counts, folder.sizes(OpenFiles.name(of: id)))
        }
    }

    private func unlink(_ id: String, of organisation: String) async throws -> DatabaseFolder.Removed {
        try await alone(id, of: organisation) { [folder] _ in
            var removed = try folder.remove(OpenFiles.name(of: id))
            let resealed = try folder.remove(FileSessionStore.resealingName(of: id))
            removed.files += resealed.files
            removed.bytes += resealed.bytes
            try folder.synchronise()
            return removed
        }
    }

    /// Says that the file is about to go, so that a crash leaves no doubt why it is not there: in the index, or at a full
    /// disk by an empty file, which needs no block of it.
    private func announce(_ id: String, _ evidence: ErasureEvidence) async {
        do {
            try await index.record(evidence, of: id, isOver: false)
        } catch {
            reports.postponed("noting an erasure", error)
            try? folder.mark(Self.marker(of: id))
        }
    }

    static let markerSuffix = ".erased"
    static func marker(of id: String) -> String { id + markerSuffix }

    /// The content is gone. What can't be written now is written later; meanwhile nobody gets in.
    private func conclude(_ id: String, _ evidence: ErasureEvidence) async {
        do {
            try await index.record(evidence, of: id, isOver: true)
            forget(id)
            compaction.withLock { $0.isNeeded = true }
        } catch {
            reports.postponed("recording an erasure", error)
            erasures.withLock { $0.unrecorded[id] = evidence }
        }
    }

    /// The store knows nothing of the session any more, except that it was erased.
    private func forget(_ id: String) {
        if let file = files.find(id) { files.remove(file) }
        if folder.contains(Self.marker(of: id)) { _ = try? folder.remove(Self.marker(of: id)) }
        reports.forget(id)
        erasures.withLock { erasures in
            erasures.unrecorded[id] = nil
            erasures.barred.remove(id)
        }
    }

    /// There is no file, or one that was never anybody's.
    private func settleGone(_ id: String, _ entry: SessionIndex.Entry?, at time: Date) async throws -> ErasureEvidence {
        let never = ErasureEvidence(
            content: .neverHeld, counts: ContentCounts(), files: 0, bytes: 0, time: time.wholeMilliseconds)
        let record = try await index.erasure(of: id)
        let isMarked = folder.contains(Self.marker(of: id))
        guard let entry else {
            forget(id)
            return record ?? never
        }
        if entry.phase == .creating {
            try await discard(id, of: entry.session.record.organisationID)
            forget(id)
            return never
        }
        guard entry.phase == .erasing || isMarked else {
            // Nobody erased it: that is for people to look into, and not for a certificate.
            erasures.withLock { _ = $0.barred.remove(id) }
            if let file = files.find(id) { files.remove(file) }
            reports.missing(id, of: entry.session.record.organisationID)
            throw ChatError.contentMissing
        }
        let evidence =
            record
            ?? ErasureEvidence(
                content: .erasedEarlier, counts: nil, files: 0, bytes: 0, time: time.wholeMilliseconds)
        await conclude(id, evidence)
        return evidence
    }
}
