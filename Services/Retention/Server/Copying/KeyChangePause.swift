import RetentionCore
import Synchronization

/// While a backup is taken, sessions keep the content keys that they have, so that what is copied of content and of keys
/// fits together. Destroying keys of erased sessions waits for nothing.
package final class KeyChangePause: Sendable {
    /// A backup that takes longer is to be begun anew: what was deleted has to be sealed anew within the hour.
    package static let longest: Duration = .seconds(20 * 60)

    private let time = Mutex<ContinuousClock.Instant?>(nil)

    package init() {}

    package func begin() { time.withLock { $0 = .now + Self.longest } }

    package func end() { time.withLock { $0 = nil } }

    package var isUnderWay: Bool { time.withLock { $0.map { .now < $0 } ?? false } }

    /// - Throws: `RetentionError.backupUnderWay`.
    func check() throws { if isUnderWay { throw RetentionError.backupUnderWay } }
}
