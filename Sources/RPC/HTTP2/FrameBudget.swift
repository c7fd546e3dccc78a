/// How many frames that bring nothing of a call the other side of a connection may send.
///
/// Some are due to what it is sent, and how many is up to it: window updates, and the pings by which others measure
/// round trips while data comes in (gRPC for Go sends one as often as the last was answered). Those are earned by what
/// is sent, so that calls pay for them at any rate. What was earned and isn't used is kept up to a limit.
struct FrameBudget {
    /// Frames that nothing earns, apart from the rate that is allowed for nothing.
    private var controls: FloodGuard
    private var accompanying: FloodGuard
    private var windowUpdates: FloodGuard
    private let windowUpdatesKept: Double
    private let accompanyingKept: Double
    /// Bytes sent when last looked at, for either.
    private var windowUpdatesEarnedFor = 0
    private var accompanyingEarnedFor = 0

    /// An answer is no shorter with its headers and trailers, a request hardly.
    private static let bytesForAccompanying = 32
    /// Two window updates for each message at most, which is no shorter than sixteen bytes with its frame.
    private static let bytesForWindowUpdate = 8

    /// - Parameters:
    ///   - perSecond: frames of each kind allowed for nothing, after a burst of ten times as many.
    ///   - windowUpdatesKept: the most that can be saved up; nil for the burst. They may all come at once when a
    ///     reader that had stopped goes on.
    init(perSecond: Int, windowUpdatesKept: Int? = nil) {
        controls = FloodGuard(perSecond: perSecond)
        accompanying = FloodGuard(perSecond: perSecond)
        windowUpdates = FloodGuard(perSecond: perSecond)
        accompanyingKept = accompanying.burst
        self.windowUpdatesKept = windowUpdatesKept.map(Double.init) ?? windowUpdates.burst
    }

    /// Counts such a frame; false when it is one too many. `sent` is how many bytes this side has sent so far.
    mutating func admits(_ frame: HTTP2Session.CountedFrame, sent: Int) -> Bool {
        switch frame {
        case .reset: return true
        case .control(let cost): return controls.admits(cost)
        case .accompanying:
            let earned = (sent - accompanyingEarnedFor) / FrameBudget.bytesForAccompanying
            accompanyingEarnedFor += earned * FrameBudget.bytesForAccompanying
            accompanying.earn(earned, most: accompanyingKept)
            return accompanying.admits()
        case .windowUpdate:
            let earned = (sent - windowUpdatesEarnedFor) / FrameBudget.bytesForWindowUpdate
            windowUpdatesEarnedFor += earned * FrameBudget.bytesForWindowUpdate
            windowUpdates.earn(earned, most: windowUpdatesKept)
            return windowUpdates.admits()
        }
    }
}
