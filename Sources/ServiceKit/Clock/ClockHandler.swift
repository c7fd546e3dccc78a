package import Contracts
internal import CoreMetrics
internal import Foundation
package import Logging
package import Privacy
package import RPC

/// Lets the operator see a service's clock, confirm a step, and set a wrong mark right; and says when the clock has
/// stepped: in the log, in the metrics `clock_unconfirmed` and `clock_step_seconds`, and by the health of `samtal.clock`.
package struct ClockHandler: ClockV1.ClockServiceHandler {
    /// What health is asked by: not serving while the clock is not steady.
    package static let healthName = "samtal.clock"

    private let clock: GuardedClock
    private let store: @Sendable (ClockMark) async throws -> Void
    private let logger: Logger

    /// - Parameter store: stores the mark; a change that can't be stored is refused.
    package init(
        clock: GuardedClock, metrics: MetricsRegistry?, health: HealthService?, logger: Logger,
        store: @escaping @Sendable (ClockMark) async throws -> Void
    ) {
        self.clock = clock
        self.store = store
        self.logger = logger
        health?.set(true, service: Self.healthName)
        if let metrics {
            metrics.describe(
                "clock_unconfirmed", "1 while the machine's clock has stepped and nobody has confirmed it.")
            metrics.describe("clock_step_seconds", "How far the machine's clock is ahead, or behind if negative.")
            metrics.observe("clock_unconfirmed", .gauge) { clock.status.condition == .steady ? 0 : 1 }
            metrics.observe("clock_step_seconds", .gauge) { clock.status.stepSeconds.rounded() }
        }
        clock.observe { status in
            health?.set(status.condition == .steady, service: Self.healthName)
            Self.log(status, logger)
        }
    }

    package func getClock(_ request: ClockV1.GetClockRequest, call: ServerCall) async throws -> ClockV1.Clock {
        ClockV1.Clock(clock.status)
    }

    package func confirmClock(
        _ request: ClockV1.ConfirmClockRequest, call: ServerCall
    ) async throws -> ClockV1.Clock {
        let before = clock.status
        guard clock.confirm() else {
            throw RPCError(
                .failedPrecondition, "the machine's clock is behind the mark; set the mark right instead",
                reason: "CLOCK_BEHIND")
        }
        if before.condition != .steady {
            logger.notice("the operator confirmed the machine's clock", metadata: step(before))
        }
        return try await stored()
    }

    package func setClockMark(
        _ request: ClockV1.SetClockMarkRequest, call: ServerCall
    ) async throws -> ClockV1.Clock {
        let time = try FieldCheck.time(request.mark, field: "mark")
        let before = clock.status
        guard clock.setMark(to: time) else {
            throw RPCError(
                .failedPrecondition, "the machine's clock says another time; set it right first",
                reason: "CLOCK_DIFFERS")
        }
        logger.notice("the operator set the clock's mark", metadata: step(before))
        return try await stored()
    }

    private func stored() async throws -> ClockV1.Clock {
        try await store(clock.mark)
        return ClockV1.Clock(clock.status)
    }

    private func step(_ status: GuardedClock.Status) -> Logger.Metadata {
        [LogKey.step: .stringConvertible(Int(status.stepSeconds.rounded()))]
    }

    private static func log(_ status: GuardedClock.Status, _ logger: Logger) {
        let metadata: Logger.Metadata = [LogKey.step: .stringConvertible(Int(status.stepSeconds.rounded()))]
        switch status.condition {
        case .steady where status.isSelfConfirmed:
            logger.warning("the machine's clock was steady for an hour after its step, and is believed from now on")
        case .steady: logger.notice("the machine's clock is steady again")
        case .ahead:
            logger.warning(
                "the machine's clock has stepped ahead: content is hidden by it, and nothing is ended or erased by it yet",
                metadata: metadata)
        case .behind:
            logger.warning("the machine's clock is behind the latest confirmed time", metadata: metadata)
        }
    }
}

extension ClockV1.Clock {
    init(_ status: GuardedClock.Status) {
        self.init(
            state: .init(status.condition), machineTime: .init(status.machineTime),
            confirmedTime: .init(status.confirmedTime), hidingTime: .init(status.hidingTime),
            stepSeconds: Int64(status.stepSeconds.rounded()), waitSeconds: UInt32(status.secondsToWait.rounded(.up)))
    }
}

extension ClockV1.ClockState {
    init(_ condition: ClockGuard.Condition) {
        self =
            switch condition {
            case .steady: .steady
            case .ahead: .ahead
            case .behind: .behind
            }
    }
}
