internal import Backup
internal import Contracts
internal import Foundation
package import IdentityCore
package import Logging
package import Privacy
package import RPC
package import ServiceKit
package import Storage
internal import StorageStatus

/// The identity service.
package enum Identity {
    /// Constructs the service for the process that it runs in.
    /// - Parameter maximumAdministrators: of one organisation.
    package static func start(
        in environment: ServiceEnvironment, maximumAdministrators: Int
    ) async throws -> ServiceParts {
        try await start(
            folder: environment.ownFolder, clock: SystemWallClock(), logger: environment.logger,
            metrics: environment.metrics, health: environment.health,
            limits: IdentityLimits(administratorsPerOrganisation: maximumAdministrators),
            reserve: DiskReserve(of: environment))
    }

    /// Constructs everything the service consists of; the only place that does.
    /// - Parameters:
    ///   - folder: the service's own; holds identity.sqlite and signing-key.
    ///   - metrics: where refusals are counted, and what the clock does.
    ///   - health: says whether the clock is steady.
    ///   - reserve: what is kept on the disk for erasing.
    package static func start(
        folder: String, clock source: any WallClock, logger: Logger, metrics: MetricsRegistry? = nil,
        health: HealthService? = nil,
        limits: IdentityLimits = IdentityLimits(), reserve: DiskReserve? = nil
    ) async throws -> ServiceParts {
        // First the store: its lock keeps a second process away from the key, too.
        let store = try IdentityStore(path: folder + "/identity.sqlite", limits: limits, reserve: reserve)
        do {
            // A step of the machine's clock signs nobody out and makes no code usable.
            let clock = GuardedClock(source, stored: try await store.clockMark())
            let clockHandler = ClockHandler(clock: clock, metrics: metrics, health: health, logger: logger) { mark in
                try await store.storeClockMark(mark)
            }
            try await store.loadRevocations(at: clock.times)
            if let restored = RestoredMark.read(in: folder, now: clock.now()) {
                if restored.endsSignIns { try await store.endEverySignIn(at: clock.times) }
                try RestoredMark.remove(in: folder)
                logger.warning(
                    restored.endsSignIns
                        ? "a copy of identity's folder was put back, and every sign-in is ended"
                        : "a copy of identity's folder was put back: administrators are as they were then")
            }
            let privateKey = try SigningKeyFile(path: folder + "/signing-key").loadOrCreate()
            let createTime = try await store.adoptSigningKey(SigningKey.id(of: privateKey), at: clock.confirmed())
            let signer = try await TokenSigner(key: SigningKey(privateKey: privateKey, createTime: createTime))

            let handlers = IdentityHandlers(
                store: store, signer: signer, clock: clock,
                refusals: Refusals(IdentityLimits.names, in: metrics, logger: logger), logger: logger)
            let backupHandler = BackupHandler(
                folder: folder, content: IdentityCopying(folder: folder, store: store), logger: logger
            ) { error in
                (error as? StorageError).flatMap { RPCError($0, of: "identity") } ?? error
            }
            return ServiceParts(
                handlers: handlers.handlers + clockHandler.handlers + backupHandler.handlers,
                authenticators: [
                    AccessTokenAuthenticator(
                        keys: signer.publicKeys, revoked: store.revocations.refused, now: { clock.reading().wall })
                ],
                answeredBounds: RPCError.storeBounds(of: "identity"),
                background: [ExpirySweep(store: store, clock: clock, logger: logger)],
                onStop: {
                    try? await store.storeClockMark(clock.mark)
                    await store.close()
                })
        } catch {
            await store.close()
            throw error
        }
    }
}
