package import Foundation
import KeySlots
import Logging
import Privacy
import RetentionCore
import ServiceKit

/// How the session keys are kept, as the operator sets it.
package struct KeySettings: Sendable, Equatable {
    /// Goes on where overwritten bytes may live on, and says so in the log, the metrics and each certificate.
    package var allowsUnsafeMedium: Bool
    /// Starts though no key of any session is held.
    package var allowsMissingKeys: Bool
    /// After so many seconds the wrapping key is changed.
    package var wrappingKeyLife: TimeInterval
    /// A file of 32 bytes that the wrapping keys are sealed under; nil: they lie in their file as they are.
    package var credentialPath: String?

    package init(
        allowsUnsafeMedium: Bool = false, allowsMissingKeys: Bool = false, wrappingKeyLife: TimeInterval = 86_400,
        credentialPath: String? = nil
    ) {
        self.allowsUnsafeMedium = allowsUnsafeMedium
        self.allowsMissingKeys = allowsMissingKeys
        self.wrappingKeyLife = wrappingKeyLife
        self.credentialPath = credentialPath
    }
}

/// Opens the key slots, and puts right what a crash or a restored backup has left in them.
enum KeyCustody {
    /// Keys in memory at the same time: each call that hands keys out holds three. 512 KiB of locked memory.
    private static let secrets = 16_384
    /// A key of no session is destroyed when it was first seen so long ago, in seconds: longer than any session goes on and
    /// may be kept after.
    private static let strayLife: TimeInterval = (366 + 31) * 86_400
    private static let page = 1_000

    /// - Throws: `StartUpError`.
    static func open(
        folder: String, settings: KeySettings, now: Date, logger: Logger
    ) throws -> SessionKeyStore {
        let medium = Medium.look(at: (folder as NSString).deletingLastPathComponent)
        if medium.keepsOldCopies, !settings.allowsUnsafeMedium { throw unsafe(medium, folder: folder) }
        let slots: KeySlots
        do {
            let memory = try SecretMemory(capacity: secrets)
            slots = try KeySlots(
                folder: folder, memory: memory, outer: try outerKey(settings.credentialPath, in: memory), now: now)
        } catch {
            throw StartUpError("the session keys can't be opened (\(error))", remedy: remedy(for: error, folder))
        }
        let keys = SessionKeyStore(slots)
        if slots.medium.keepsOldCopies {
            if !settings.allowsUnsafeMedium { throw unsafe(slots.medium, folder: folder) }
            logger.warning(
                "destroyed keys may live on where they lay: this medium keeps copies of what is overwritten",
                metadata: [LogKey.reason: .string(slots.medium.summary)])
        }
        if slots.damagedCount > 0 {
            logger.error(
                "key slots were damaged and are cleared",
                metadata: [LogKey.count: .stringConvertible(slots.damagedCount)])
        }
        return keys
    }

    private static func unsafe(_ medium: Medium, folder: String) -> StartUpError {
        StartUpError(
            "\(folder) is on \(medium.summary), where keys that are destroyed may live on",
            remedy: """
                put the data folder on ext4 (data=ordered) or xfs, without snapshots, or start with \
                --allow-unsafe-key-medium, which each certificate will say
                """)
    }

    private static func outerKey(_ path: String?, in memory: SecretMemory) throws -> OuterKey? {
        guard let path else { return nil }
        guard var bytes = FileManager.default.contents(atPath: path) else {
            throw StartUpError(
                "the credential for the wrapping keys can't be read", remedy: "see LoadCredentialEncrypted= of systemd")
        }
        defer { bytes.resetBytes(in: 0..<bytes.count) }
        return try OuterKey(bytes: bytes, in: memory)
    }

    private static func remedy(for error: any Error, _ folder: String) -> String {
        guard let error = error as? KeySlotError else { return "see the service's README" }
        return switch error.code {
        case .memoryNotLocked: "raise LimitMEMLOCK= (ulimit -l) to 1 MiB or more"
        case .full: "make room on the disk of \(folder)"
        case .locked: "end the other process first"
        case .wrappingKeyMissing: "restore wrapping-keys and slots from the same backup, and give its credential"
        case .malformed, .notOverwritten, .closed, .inputOutput: "look at \(folder), and restore it from its backup"
        }
    }

    /// A folder of keys that was restored from a backup holds keys again that were destroyed since: those of erased
    /// sessions, and older ones of living sessions. They go before any call is answered, and so do those that a crash kept
    /// from being taken back. Keys of sessions that nobody knows are noted, and go when no session of that age can be there.
    ///
    /// - Parameter now: the confirmed time.
    /// - Returns: how many keys were there again.
    /// - Throws: `StartUpError` if no key of any session is held, and that is not allowed.
    static func settle(
        _ keys: SessionKeyStore, with store: RetentionStore, settings: KeySettings, now: Date, logger: Logger
    ) async throws -> Int {
        var strangers = try await keys.names()
        let marks = try await keys.destroyedNames()
        var noted = marks
        let holders = try await eachSession(.held, store) { session in
            strangers.subtract(SessionKeyStore.names(ofSession: session.id, session.versions))
            noted.subtract(SessionKeyStore.everyName(ofSession: session.id, session.versions))
        }
        if holders > 0, marks.isEmpty, try await keys.counts().keys == 0 { try missing(holders, settings, logger) }
        var returned: Set<KeyName> = []
        // Their certificates are to tell of them, if they were missing before.
        var awaited: Set<KeyName> = []
        if !strangers.isEmpty || !noted.isEmpty {
            for state in [RetentionStore.KeyState.held, .destroyed, .certified] {
                _ = try await eachSession(state, store) { session in
                    let names = SessionKeyStore.everyName(ofSession: session.id, session.versions)
                    returned.formUnion(strangers.intersection(names))
                    if state == .destroyed { awaited.formUnion(names) }
                }
            }
            strangers.subtract(returned)
        }
        // What is marked as destroyed and awaited by no erasure is on record.
        try await keys.forget(noted.subtracting(awaited))
        if !returned.isEmpty {
            try await keys.destroy(returned, awaited: awaited)
            logger.warning(
                "keys that were destroyed before were there again and are destroyed",
                metadata: [LogKey.count: .stringConvertible(returned.count)])
        }
        let old = try await store.noteStrayKeys(
            strangers, now: now, seenBy: now.addingTimeInterval(-strayLife))
        if !old.isEmpty { try await keys.destroy(old) }
        if strangers.count > old.count {
            logger.warning(
                "there are keys of sessions that are not on record",
                metadata: [LogKey.count: .stringConvertible(strangers.count - old.count)])
        }
        return returned.count
    }

    /// Sessions without a single key between them: these are not the slots that their keys lie in.
    private static func missing(_ sessions: Int, _ settings: KeySettings, _ logger: Logger) throws {
        guard settings.allowsMissingKeys else {
            throw StartUpError(
                "\(sessions) sessions are on record, and no key of any is held: the folder of the keys is not theirs",
                remedy: """
                    put the folder of the keys back where it was, or restore it from its backup; or start with \
                    --allow-missing-keys if they are lost for good
                    """)
        }
        logger.error(
            "no key of any session is held: what they hold stays unreadable, and their erasure is not certified",
            metadata: [LogKey.count: .stringConvertible(sessions)])
    }

    /// - Returns: how many there are.
    private static func eachSession(
        _ state: RetentionStore.KeyState, _ store: RetentionStore,
        _ body: ((id: String, versions: ContentKeyVersions)) -> Void
    ) async throws -> Int {
        var last = ""
        var count = 0
        while true {
            let sessions = try await store.keyVersions(state, after: last, limit: page)
            sessions.forEach(body)
            count += sessions.count
            guard sessions.count == page, let id = sessions.last?.id else { return count }
            last = id
        }
    }
}
