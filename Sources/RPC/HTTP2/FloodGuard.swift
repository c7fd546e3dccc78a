/// Bounds how often something happens: so many a second, after a burst of ten times as many.
struct FloodGuard {
    private let perSecond: Double
    private let burst: Double
    private var left: Double
    private var refilled: ContinuousClock.Instant

    init(perSecond: Int, now: ContinuousClock.Instant = .now) {
        self.perSecond = Double(perSecond)
        burst = Double(perSecond) * 10
        left = burst
        refilled = now
    }

    /// Counts one; false when it is one too many.
    mutating func admits(at now: @autoclosure () -> ContinuousClock.Instant = .now) -> Bool {
        if left < 1 {
            let now = now()
            left = min(burst, left + perSecond * ((now - refilled) / .seconds(1)))
            refilled = now
        }
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}
