/// Bounds how often something happens: so many a second, after a burst of ten times as many.
struct FloodGuard {
    private let perSecond: Double
    let burst: Double
    private var left: Double
    private var refilled: ContinuousClock.Instant

    init(perSecond: Int, now: ContinuousClock.Instant = .now) {
        self.perSecond = Double(perSecond)
        burst = Double(perSecond) * 10
        left = burst
        refilled = now
    }

    /// Counts one, or something that costs as much as several; false when it is too much.
    mutating func admits(
        _ cost: Int = 1, at now: @autoclosure () -> ContinuousClock.Instant = .now
    ) -> Bool {
        if left < Double(cost) {
            let now = now()
            left = min(burst, left + perSecond * ((now - refilled) / .seconds(1)))
            refilled = now
        }
        guard left >= Double(cost) else { return false }
        left -= Double(cost)
        return true
    }

    /// Allows so many more, for which there was a reason; what isn't used is kept up to `most`.
    mutating func earn(_ count: Int, most: Double) {
        left = max(left, min(left + Double(count), most))
    }
}
