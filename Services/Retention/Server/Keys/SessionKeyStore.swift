import Backup
package import Foundation
package import KeySlots
package import RetentionCore
package import Storage

/// A session's keys, for as long as somebody holds them: wiped when the last reference goes.
package struct SessionKeys: Sendable {
    /// What the content is sealed under, and its version.
    package var content: Secret
    package var version: Int64
    /// What the content is being sealed with anew; nil unless a change has begun.
    package var next: Secret?
    /// What participants' tokens are sealed under. It outlives changes of the content's key.
    package var tokens: Secret
}

extension StorageError {
    package init(_ error: KeySlotError) {
        let code: Code =
            switch error.code {
            case .full: .full
            case .locked: .locked
            case .malformed, .wrappingKeyMissing: .corrupt
            case .memoryNotLocked: .overloaded
            case .closed: .closed
            case .notOverwritten, .inputOutput: .other
            }
        self.init(code, error.description)
    }
}

/// The session keys, each in a slot of its own (``KeySlots``): destroyed by overwriting it where it lies.
package struct SessionKeyStore: Sendable {
    private let slots: KeySlots

    package init(_ slots: KeySlots) { self.slots = slots }

    package var medium: Medium { slots.medium }

    package func close() async { await slots.close() }

    /// - Returns: nil unless the session has all the keys that it should have.
    package func keys(ofSession id: String, _ versions: ContentKeyVersions) async throws -> SessionKeys? {
        try await translated {
            guard let content = try await slots.key(named: Name.content(id, versions.current)),
                let tokens = try await slots.key(named: Name.tokens(id))
            else { return nil }
            var keys = SessionKeys(content: content, version: versions.current, tokens: tokens)
            if let version = versions.next {
                guard let next = try await slots.key(named: Name.content(id, version)) else { return nil }
                keys.next = next
            }
            return keys
        }
    }

    /// The keys of a new session, made now where they are missing; durable when this returns.
    package func keysOrNew(forSession id: String) async throws -> SessionKeys {
        let first = ContentKeyVersions().current
        return try await translated {
            async let tokens = slots.keyOrNew(named: Name.tokens(id))
            return SessionKeys(
                content: try await slots.keyOrNew(named: Name.content(id, first)), version: first,
                tokens: try await tokens)
        }
    }

    /// Makes the next content key of a session, if a change has begun; durable when this returns.
    package func makeNext(forSession id: String, _ versions: ContentKeyVersions) async throws {
        guard let version = versions.next else { return }
        _ = try await translated { try await slots.keyOrNew(named: Name.content(id, version)) }
    }

    /// Destroys all keys of sessions for ever. Destroying what is not there is harmless. Asked again, also after a crash, the
    /// answer is the same until it is noted (``noted(_:)``).
    /// - Returns: What was seen, in the order of the sessions.
    package func destroyAll(
        of sessions: [(id: String, versions: ContentKeyVersions)]
    ) async throws -> [KeyDestruction] {
        let names = sessions.map { Name.all(of: $0.id, $0.versions) }
        var seen = try await translated { try await slots.destroy(names.flatMap { $0 }) }[...]
        return names.map { names in
            let own = seen.prefix(names.count)
            seen = seen.dropFirst(names.count)
            return destruction(own)
        }
    }

    /// What was seen when the keys of these sessions were destroyed is on record: nobody asks again.
    package func noted(_ sessions: [(id: String, versions: ContentKeyVersions)]) async throws {
        let names = sessions.flatMap { Name.all(of: $0.id, $0.versions) }
        try await translated { try await slots.forget(names) }
    }

    /// Destroys one content key of a session, which another has replaced.
    package func destroy(version: Int64, ofSession id: String) async throws {
        try await destroy([Name.content(id, version)])
    }

    /// The names of all keys that are held.
    package func names() async throws -> Set<KeyName> { try await translated { try await slots.names() } }

    /// What the keys are named that a session may have.
    package static func names(ofSession id: String, _ versions: ContentKeyVersions) -> [KeyName] {
        Name.all(of: id, versions)
    }

    /// What every key is named that a session ever had.
    package static func everyName(ofSession id: String, _ versions: ContentKeyVersions) -> [KeyName] {
        (1...versions.current + 1).map { Name.content(id, $0) } + [Name.tokens(id)]
    }

    /// Destroys keys of which no certificate tells.
    /// - Parameter awaited: those of which one does: they can be asked for again.
    package func destroy(_ names: Set<KeyName>, awaited: Set<KeyName> = []) async throws {
        try await translated {
            _ = try await slots.destroy(Array(names))
            try await slots.forget(Array(names.subtracting(awaited)))
        }
    }

    /// The names of keys whose destruction is not noted.
    package func destroyedNames() async throws -> Set<KeyName> {
        try await translated { try await slots.destroyedNames() }
    }

    package func forget(_ names: Set<KeyName>) async throws {
        try await translated { try await slots.forget(Array(names)) }
    }

    /// Sends a copy of all keys, under a wrapping key of its own.
    func copy(now: Date, to stream: CopyStream) async throws {
        let copy = try await translated { try await slots.beginCopy(now: now) }
        var wrapping = Data(copy.wrappingKeys)
        defer { wrapping.resetBytes(in: 0..<wrapping.count) }
        try await stream.send("keys/wrapping-keys") {
            defer { wrapping = Data() }
            return wrapping
        }
        var extent = -1
        try await stream.send("keys/slots") {
            defer { extent += 1 }
            if extent < 0 { return Data(copy.slotsHead) }
            return Data(try await translated { try await slots.extent(extent, of: copy) } ?? [])
        }
    }

    // MARK: The wrapping key

    package func wrappingKeyCreateTime() async throws -> Date {
        try await translated { try await slots.wrappingKeyCreateTime() }
    }

    package func isSealingDue() async throws -> Bool { try await translated { try await slots.isSealingDue() } }

    package func changeWrappingKey(now: Date) async throws {
        try await translated { try await slots.changeWrappingKey(now: now) }
    }

    package func finishInterruptedChange() async throws {
        try await translated { try await slots.finishInterruptedChange() }
    }

    package func counts() async throws -> (keys: Int, slots: Int) {
        try await translated { try await slots.counts() }
    }

    /// The slots fail as any store does: one reason for one cause.
    private func translated<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as KeySlotError {
            throw StorageError(error)
        }
    }

    private func destruction(_ seen: ArraySlice<SlotDestruction>) -> KeyDestruction {
        var destruction = KeyDestruction(
            slots: 0, medium: slots.medium.fileSystem, risks: slots.medium.risks.map(\.rawValue).sorted())
        for slot in seen where slot.wasHeld {
            let place: KeyDestruction.Place =
                switch slot.stayedInPlace {
                case true?: .same
                case false?: .moved
                case nil: .unseen
                }
            destruction.add(slot.readBack == .pastPageCache ? .pastPageCache : .afterDroppingCache, place)
        }
        return destruction
    }

    /// What the slots know keys by. Only their digests are stored.
    private enum Name {
        static func content(_ session: String, _ version: Int64) -> KeyName { KeyName("content \(version) \(session)") }
        static func tokens(_ session: String) -> KeyName { KeyName("tokens \(session)") }

        static func all(of session: String, _ versions: ContentKeyVersions) -> [KeyName] {
            versions.mayExist.map { content(session, $0) } + [tokens(session)]
        }
    }
}
