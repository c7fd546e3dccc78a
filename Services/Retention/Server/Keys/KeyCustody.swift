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
    /// After so many seconds the wrapping key is changed.
    package var wrappingKeyLife: TimeInterval
    /// A file of 32 bytes that the wrapping keys are sealed under; nil: they lie in their file as they are.
    package var credentialPath: String?

    package init(
        allowsUnsafeMedium: Bool = false, wrappingKeyLife: TimeInterval = 86_400, credentialPath: String? = nil
    ) {
        self.allowsUnsafeMedium = allowsUnsafeMedium
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

    /// A folder of keys that was restored from a backup holds keys again that were destroyed since. They go before any call
    /// is answered, and so do those that a crash kept from being taken back. Keys of sessions that nobody knows are noted,
    /// and go when no session of that age can be there.
    static func settle(_ keys: SessionKeyStore, with store: RetentionStore, now: Date, logger: Logger) async throws {
        var strangers = try await keys.names()
        try await remove(from: &strangers, destroyed: false, store)
        let unknown = strangers
        if !strangers.isEmpty { try await remove(from: &strangers, destroyed: true, store) }
        let returned = unknown.subtracting(strangers)
        if !returned.isEmpty {
            try await keys.destroy(returned)
            logger.warning(
                "keys of erased sessions were there again and are destroyed",
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
    }

    private static func remove(
        from names: inout Set<KeyName>, destroyed: Bool, _ store: RetentionStore
    ) async throws {
        var last = ""
        while !names.isEmpty {
            let sessions = try await store.keyVersions(destroyed: destroyed, after: last, limit: page)
            for session in sessions {
                for name in SessionKeyStore.names(ofSession: session.id, session.versions) { names.remove(name) }
            }
            guard sessions.count == page, let id = sessions.last?.id else { return }
            last = id
        }
    }
}
