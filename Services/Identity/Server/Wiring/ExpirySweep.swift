internal import Logging
internal import Privacy
internal import ServiceLifecycle

/// Deletes sign-in codes and refresh families whose time is up, once a minute until it is cancelled.
///
/// An expired secret opens nothing whether its row is there or not; the sweep is so that nothing is kept for longer
/// than it is of use (GDPR Article 5(1)(e)).
struct ExpirySweep: Service {
    static let pause = Duration.seconds(60)

    let store: IdentityStore
    let clock: any WallClock
    let logger: Logger

    func run() async throws {
        while true {
            do {
                try await store.forgetExpired(at: clock.now())
            } catch let error where !(error is CancellationError) {
                logger.error("expired sign-ins could not be deleted; trying again in a minute", error: error)
            }
            try await Task.sleep(for: Self.pause)
        }
    }
}
