import CoreMetrics
import Foundation
import Logging
import Privacy
import RetentionCore
import ServiceKit
import ServiceLifecycle

/// Changes the key that the session keys are wrapped under, regularly: a copy of the slots that was made before, in
/// whatever block or backup, can't be opened any more.
package struct WrappingKeyRotation: Service {
    /// How often its age is looked at.
    private static let interval: Duration = .seconds(60)

    let keys: SessionKeyStore
    let clock: any WallClock
    /// In seconds.
    let life: TimeInterval
    let logger: Logger
    let gauges: KeyGauges

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await self.changeIfDue()
                } catch {
                    var metadata = ErasureScheduler.metadata(error)
                    metadata[LogKey.component] = .string("wrapping key")
                    if !Task.isCancelled {
                        self.logger.error("a change of the wrapping key failed", metadata: metadata)
                    }
                }
                do { try await Task.sleep(for: Self.interval) } catch { return }
            }
        }
    }

    /// One that is dated in the future has no age to go by, and is changed too, as is one that is to be sealed from now on.
    private func changeIfDue() async throws {
        try await keys.finishInterruptedChange()
        let now = clock.now()
        var age = now.timeIntervalSince(try await keys.wrappingKeyCreateTime())
        let isSealingDue = try await keys.isSealingDue()
        if age >= life || age < -60 || isSealingDue {
            try await keys.changeWrappingKey(now: now)
            let count = try await keys.counts().keys
            logger.notice("the wrapping key was changed", metadata: [LogKey.count: .stringConvertible(count)])
            age = 0
        }
        gauges.set(wrappingKeyAge: age, counts: try await keys.counts())
    }
}

/// What the metrics tell of the keys.
package struct KeyGauges: Sendable {
    private let age: Gauge?
    private let keys: Gauge?

    /// - Parameter medium: what the slots lie on, and whether that keeps copies.
    init(in metrics: MetricsRegistry?, keepsOldCopies: Bool) {
        guard let metrics else {
            (age, keys) = (nil, nil)
            return
        }
        metrics.describe("key_medium_keeps_copies", "Whether the key slots lie where overwritten bytes may live on.")
        metrics.describe("key_slots_used", "Keys that are held.")
        metrics.describe("wrapping_key_age_seconds", "Since when the key has been in use that keys are wrapped under.")
        Gauge(label: "key_medium_keeps_copies", factory: metrics).record(keepsOldCopies ? 1 : 0)
        age = Gauge(label: "wrapping_key_age_seconds", factory: metrics)
        keys = Gauge(label: "key_slots_used", factory: metrics)
    }

    func set(wrappingKeyAge seconds: TimeInterval, counts: (keys: Int, slots: Int)) {
        age?.record(seconds)
        keys?.record(counts.keys)
    }
}
