internal import Contracts
internal import Foundation
internal import IdentityCore
package import Logging
package import Privacy
package import ServiceKit

/// The identity service.
package enum Identity {
    /// Constructs the service for the process that it runs in.
    package static func start(in environment: ServiceEnvironment) async throws -> ServiceParts {
        try await start(folder: environment.ownFolder, clock: SystemWallClock(), logger: environment.logger)
    }

    /// Constructs everything the service consists of; the only place that does.
    /// - Parameter folder: the service's own; holds identity.sqlite and signing-key.
    package static func start(folder: String, clock: any WallClock, logger: Logger) async throws -> ServiceParts {
        // First the store: its lock keeps a second process away from the key, too.
        let store = try IdentityStore(path: folder + "/identity.sqlite")
        do {
            try await store.loadRevocations(at: clock.now())
            let privateKey = try SigningKeyFile(path: folder + "/signing-key").loadOrCreate()
            let createTime = try await store.adoptSigningKey(SigningKey.id(of: privateKey), at: clock.now())
            let signer = try await TokenSigner(key: SigningKey(privateKey: privateKey, createTime: createTime))

            return ServiceParts(
                handlers: IdentityHandlers(store: store, signer: signer, clock: clock, logger: logger).handlers,
                authenticators: [AccessTokenAuthenticator(keys: signer.publicKeys, revoked: store.revocations.refused)],
                background: [ExpirySweep(store: store, clock: clock, logger: logger)],
                onStop: { await store.close() })
        } catch {
            await store.close()
            throw error
        }
    }
}
