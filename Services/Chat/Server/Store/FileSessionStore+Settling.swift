internal import ChatCore
package import Foundation
internal import Privacy
internal import Storage
internal import Synchronization

// What was begun and not completed: by this process, because its disk was full, or by one before it that crashed.
extension FileSessionStore {
    /// Sessions that are looked at together.
    private static let batch = 100

    package func settle(at now: Date) async throws {
        var failures: [any Error] = []
        for (id, _) in erasures.withLock({ $0.unrecorded }) {
            _ = try? await locks.hold(id) { try await takeAway(id, at: now) }
        }
        var after = ""
        while true {
            let unsettled = try await index.unsettled(after: after, limit: Self.batch)
            for id in unsettled {
                do { try await settle(id, at: now) } catch { failures.append(error) }
            }
            guard unsettled.count == Self.batch, let last = unsettled.last else { break }
            after = last
        }
        do { try await compact() } catch { failures.append(error) }
        if let failure = failures.first { throw failure }
    }

    private func settle(_ id: String, at now: Date) async throws {
        try await locks.hold(id) {
            // What was under way is over by now, as a rule.
            guard let entry = try await index.entry(id) else { return }
            switch entry.phase {
            case .settled: break
            case .creating: try await discard(id, of: entry.session.record.organisationID)
            case .erasing: _ = try await takeAway(id, at: now)
            case .changing:
                do {
                    try await index.settle(
                        try await with(id) { file in try await file.read { content in content.outline.session } })
                } catch is ChatError {
                    // It can't be read, which is reported; or it is being erased.
                }
            }
        }
    }

    /// Rewrites the index when rows were deleted, so that no byte of them is left in it. Calls wait for it; so it is done
    /// seldom, and not at all when the index is large. What was in its rows is sealed, and the key is gone.
    private func compact() async throws {
        let now = ContinuousClock.now
        let isDue = compaction.withLock { compaction in
            guard compaction.isNeeded, compaction.last.map({ now - $0 >= limits.indexRewrittenEvery }) ?? true else {
                return false
            }
            compaction = Compaction(isNeeded: false, last: now)
            return true
        }
        guard isDue else { return }
        do {
            if index.database.size <= limits.indexRewrittenTo {
                try await index.database.purge()
            } else {
                try await index.database.emptyLog()
            }
        } catch {
            compaction.withLock { $0.isNeeded = true }
            throw error
        }
    }
}

// What a start finds.
extension FileSessionStore {
    /// Holds the folder's list against the index. What the row of a session says is under way is left to ``settle(at:)``:
    /// nobody gets in meanwhile, or the file is asked.
    func inspect() async throws {
        var listed: Set<String> = []
        let names = Set(try folder.names())
        for (id, organisation, phase) in try await index.phases() {
            listed.insert(id)
            if phase == .erasing { compaction.withLock { $0.isNeeded = true } }
            let isMarked = names.contains(Self.marker(of: id))
            if phase.isThere, isMarked {
                // At a full disk, an erasure got this far.
                try await index.note(id, .erasing)
            } else if phase.isThere, !names.contains(OpenFiles.name(of: id)) {
                reports.missing(id, of: organisation)
            }
        }
        // A change of keys that was cut short begins anew.
        for name in names where name.hasSuffix(Self.resealingSuffix) { _ = try folder.remove(name) }
        for name in names {
            guard let id = Self.session(named: name), !listed.contains(id) else { continue }
            if name.hasSuffix(Self.markerSuffix) {
                _ = try folder.remove(name)
            } else {
                try await adopt(id)
            }
        }
    }

    /// The session whose file or marker has this name.
    private static func session(named name: String) -> String? {
        for suffix in [OpenFiles.name(of: ""), markerSuffix] where name.hasSuffix(suffix) {
            let id = String(name.dropLast(suffix.count))
            return Identifier.isValid(id) ? id : nil
        }
        return nil
    }

    /// A file that the index does not know. If its session is on record as erased, somebody put it back: it goes again. If
    /// not, the index is older than the file: the session is listed again, or nothing would ever erase it.
    private func adopt(_ id: String) async throws {
        if try await index.erasure(of: id) != nil {
            _ = try folder.remove(OpenFiles.name(of: id))
            try folder.synchronise()
            return
        }
        do {
            let session = try await alone(id, of: "") { file in
                defer { file.close() }
                return try file.session()
            }
            try await index.add(session, .settled)
            reports.adopted(id, of: session.record.organisationID)
        } catch {
            reports.unreadable(id, error)
        }
    }
}
