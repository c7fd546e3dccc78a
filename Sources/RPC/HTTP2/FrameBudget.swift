/// How many frames that bring nothing of a call, and how many resets, the other side of a connection may send.
///
/// Some are due to what it is sent, and how many is up to it: window updates, and the pings by which others measure
/// round trips while data comes in (gRPC for Go sends one as often as the last was answered). Those are earned by what
/// is sent, so that calls pay for them at any rate.
struct FrameBudget {
    /// Frames that are earned by what is sent, apart from the rate that is allowed for nothing.
    private struct Earned {
        private var allowance: FloodGuard
        private let bytesEach: Int
        /// The most that is saved up.
        private let kept: Double
        /// Bytes sent of which something was made.
        private var paid = 0

        init(perSecond: Int, bytesEach: Int, kept: Int?) {
            allowance = FloodGuard(perSecond: perSecond)
            self.bytesEach = bytesEach
            self.kept = kept.map(Double.init) ?? allowance.burst
        }

        mutating func admits(sent: Int) -> Bool {
            let count = (sent - paid) / bytesEach
            paid += count * bytesEach
            allowance.earn(count, most: kept)
            return allowance.admits()
        }
    }

    /// Nil at a client: every reset ends a call of its own making, and there are no more of them than of those.
    private var resets: FloodGuard?
    private var controls: FloodGuard
    private var accompanying: Earned
    private var windowUpdates: Earned

    /// - Parameters:
    ///   - perSecond: frames of each kind allowed for nothing, after a burst of ten times as many.
    ///   - resetsPerSecond: the same of resets; nil for any number.
    ///   - windowUpdatesKept: the most that can be saved up; nil for the burst. They may all come at once when a
    ///     reader that had stopped goes on.
    init(perSecond: Int, resetsPerSecond: Int? = nil, windowUpdatesKept: Int? = nil) {
        resets = resetsPerSecond.map { FloodGuard(perSecond: $0) }
        controls = FloodGuard(perSecond: perSecond)
        // An answer is no shorter with its headers and trailers, a request hardly.
        accompanying = Earned(perSecond: perSecond, bytesEach: 32, kept: nil)
        // Two for each message at most, which is no shorter than sixteen bytes with its frame.
        windowUpdates = Earned(perSecond: perSecond, bytesEach: 8, kept: windowUpdatesKept)
    }

    /// Counts such a frame; false when it is one too many. `sent` is how many bytes this side has sent so far.
    mutating func admits(_ frame: HTTP2Session.CountedFrame, sent: Int) -> Bool {
        switch frame {
        case .reset: resets?.admits() ?? true
        case .control(let cost): controls.admits(cost)
        case .accompanying: accompanying.admits(sent: sent)
        case .windowUpdate: windowUpdates.admits(sent: sent)
        }
    }
}
