package import Logging
package import Privacy
internal import ServiceKit
internal import ServiceLifecycle

/// Deletes sign-in codes and refresh families whose time is up, once a minute until it is cancelled, and finishes removals
/// of administrators that were interrupted before the file was rewritten.
///
/// An expired secret opens nothing whether its row is there or not; the sweep is so that nothing is kept for longer
/// than it is of use (GDPR Article 5(1)(e)).
package struct ExpirySweep: Service {
    private static let pause = Duration.seconds(60)

    private let store: IdentityStore
    private let clock: GuardedClock
    private let logger: Logger

    package init(store: IdentityStore, clock: GuardedClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    package func run() async throws {
        while true {
            do {
                try await store.storeClockMark(clock.mark)
                try await store.purgeRemovals()
                try await store.forgetRevocations(at: clock.times)
                let count = try await store.forgetExpired(at: clock.confirmed())
                logger.debug("expired sign-ins deleted", metadata: [LogKey.count: "\(count)"])
            } catch let error where !(error is CancellationError) {
                logger.error(
                    "what has expired or was removed could not be deleted; trying again in a minute", error: error)
            }
            try await Task.sleep(for: Self.pause)
        }
    }
}
