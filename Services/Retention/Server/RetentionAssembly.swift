package import Backup
import Contracts
import Foundation
import KeySlots
package import Logging
package import Privacy
package import RPC
package import RetentionCore
package import ServiceKit
package import Storage
import StorageStatus

/// Retention, wired up: the one place where its parts are made.
package struct RetentionAssembly: Sendable {
    package let store: RetentionStore
    package let keys: SessionKeyStore
    package let eraser: Eraser
    package let scheduler: ErasureScheduler
    package let announcer: DeadlineAnnouncer
    package let rotation: WrappingKeyRotation
    package let handler: RetentionHandler
    /// Shows the operator the clock.
    package let clockHandler: ClockHandler
    package let backupHandler: BackupHandler
    package let anchor: LedgerAnchor
    private let clock: GuardedClock

    /// - Parameters:
    ///   - folder: retention's own folder.
    ///   - region: where that is, as declared.
    ///   - identity: need not be up.
    ///   - chat: need not be up.
    ///   - metrics: where refusals are counted, and what the clock does.
    ///   - health: says whether the clock is steady, and the ledger's anchor as it was.
    ///   - clock: the machine's time.
    ///   - reserve: what is kept on the disk for erasing.
    package static func make(
        folder: String, region: Region, identity: RPCChannel, chat: ChatChannels,
        clock source: any WallClock, logger: Logger,
        metrics: MetricsRegistry? = nil, health: HealthService? = nil, longCalls: LongCallLimits = LongCallLimits(),
        configuration: ErasureScheduler.Configuration = .init(), limits: RetentionLimits = RetentionLimits(),
        keySettings: KeySettings = KeySettings(), anchorSettings: AnchorSettings = AnchorSettings(),
        reserve: DiskReserve? = nil, hooks: ErasureHooks = ErasureHooks()
    ) async throws -> RetentionAssembly {
        let store = try RetentionStore(path: folder + "/retention.sqlite", limits: limits, reserve: reserve)
        let signer = try await ledgerSigner(path: folder + "/ledger-key", store: store)
        let clock = GuardedClock(source, stored: try await store.clockMark())
        let signal = WakeSignal()
        let clockHandler = ClockHandler(clock: clock, metrics: metrics, health: health, logger: logger) { mark in
            try await store.storeClockMark(mark)
            // What is due by it is erased now.
            signal.signal()
        }

        let restored = RestoredMark.read(in: folder, now: clock.now())
        let locks = SessionLocks()
        // The ledger first: it says of which sessions there must be no key.
        let anchoring = try await LedgerAnchoring.open(
            anchorSettings, ownFolder: folder, store: store, key: signer.publicKey,
            wasRestored: restored != nil, clock: clock, locks: locks,
            metrics: metrics, health: health, logger: logger)
        let keys = try KeyCustody.open(
            folder: folder + "/keys", settings: keySettings, now: clock.now(), logger: logger)
        let returned = try await KeyCustody.settle(
            keys, with: store, settings: keySettings, now: clock.confirmed(), logger: logger)
        if returned > 0 || restored != nil {
            try await store.add(RestoreNote(time: LedgerTime.rounded(clock.confirmed()), keys: Int64(returned)))
        }
        if restored != nil {
            // There are other copies of what it is, or there were.
            try await keys.changeWrappingKey(now: clock.now())
            try RestoredMark.remove(in: folder)
            logger.notice("a copy of retention's folder was put back")
        }

        let neighbour = ChatNeighbour(chat)
        let refusals = Refusals(longCalls.names, in: metrics, logger: logger)
        let announcing = WakeSignal()
        let eraser = Eraser(
            store: store, keys: keys, chat: neighbour, signer: signer, anchor: anchoring.anchor, region: region,
            clock: clock, locks: locks, hooks: hooks)
        let pause = KeyChangePause()
        let copying = RetentionCopying(
            folder: folder, store: store, keys: keys, anchor: anchoring.anchor, pause: pause, clock: clock)
        let backupHandler = BackupHandler(folder: folder, content: copying, keys: copying, logger: logger) { error in
            RPCError.mapped(error)
        }
        let custodian = SessionCustodian(
            store: store, keys: keys, chat: neighbour, clock: clock, refusals: refusals, locks: locks, pause: pause)
        try await custodian.retireKeys()
        let handler = RetentionHandler(
            store: store, identity: IdentityNeighbour(channel: identity),
            custodian: custodian, eraser: eraser,
            exporter: SessionExporter(
                store: store, chat: neighbour, clock: clock, pace: longCalls.exportPace, refusals: refusals),
            longCalls: LongCalls(limits: longCalls, refusals: refusals), ledgerKey: signer.publicKey,
            anchoring: anchoring, clock: clock, signal: signal, announcing: announcing)
        let announcer = DeadlineAnnouncer(
            store: store, chat: neighbour, signal: announcing, retry: configuration.retry, logger: logger)
        let scheduler = ErasureScheduler(
            store: store, eraser: eraser, clock: clock, signal: signal, configuration: configuration, logger: logger)
        let rotation = WrappingKeyRotation(
            keys: keys, clock: clock, life: keySettings.wrappingKeyLife, logger: logger,
            gauges: KeyGauges(in: metrics, keepsOldCopies: keys.medium.keepsOldCopies))
        return RetentionAssembly(
            store: store, keys: keys, eraser: eraser, scheduler: scheduler, announcer: announcer, rotation: rotation,
            handler: handler, clockHandler: clockHandler, backupHandler: backupHandler, anchor: anchoring.anchor,
            clock: clock)
    }

    /// The parts for the runner of the executable.
    package static func parts(
        in environment: ServiceEnvironment, keySettings: KeySettings, anchorSettings: AnchorSettings
    ) async throws -> ServiceParts {
        let assembly = try await make(
            folder: environment.ownFolder, region: environment.region,
            identity: environment.channel(to: "identity"),
            chat: ChatChannels(
                calls: environment.channel(to: "chat"), exports: environment.channel(to: "chat", for: "exports"),
                erasures: environment.channel(to: "chat", for: "erasures")),
            clock: SystemWallClock(), logger: environment.logger, metrics: environment.metrics,
            health: environment.health, keySettings: keySettings, anchorSettings: anchorSettings,
            reserve: DiskReserve(of: environment))
        let administrators = Administrators(
            identity: environment.channel(to: "identity"), logger: environment.logger)
        return ServiceParts(
            handlers: assembly.handler.handlers + assembly.clockHandler.handlers
                + assembly.backupHandler.handlers,
            authenticators: [administrators.authenticator],
            answeredBounds: RPCError.storeBounds(of: "retention")
                + [RetentionLimits.policies, RetentionLimits.agreements],
            background: [assembly.scheduler, assembly.announcer, assembly.rotation, administrators.revocations],
            onStop: { await assembly.close() })
    }

    /// Stores the clock's mark and closes the databases.
    package func close() async {
        // A mark that is not stored now is at most one pass of the scheduler old in the database.
        try? await store.storeClockMark(clock.mark)
        await store.close()
        await keys.close()
        anchor.close()
    }

    /// A ledger goes on with the key it was begun with: a new one beside old certificates would break the chain.
    private static func ledgerSigner(path: String, store: RetentionStore) async throws -> LedgerSigner {
        let latest = try await store.latestKeyID()
        guard latest == nil || access(path, F_OK) == 0 else {
            throw StartUpError("the ledger's key is missing", remedy: "restore \(path) from its backup")
        }
        let signer = try LedgerKeyFile.signer(path: path)
        guard latest == nil || latest == signer.publicKey.keyID else {
            throw StartUpError(
                "the ledger's key is not the one its certificates were signed with",
                remedy: "restore \(path) from its backup")
        }
        return signer
    }
}
