/// How long an export may take: it waits for its reader, and between two chunks it works, most of which is waiting for
/// chat. Free of clocks and I/O: told what happens and when, it says until when it goes on.
///
/// A reader that takes nothing for a while is given up. So is one that takes little: what it makes the export wait in all
/// is bounded by a first allowance, and by what it has taken since at the lowest speed that is served.
package struct ExportPace: Sendable {
    package struct Limits: Sendable, Equatable {
        /// How long a reader may take nothing.
        package var longestPause: Duration = .seconds(30)
        /// What a reader may make the export wait in all, however little it has taken.
        package var allowance: Duration = .seconds(120)
        /// And what it has taken, at this speed.
        package var bytesPerSecond = 32 * 1024
        /// How long the next chunk may take to be made.
        package var longestWork: Duration = .seconds(60)

        package init() {}
    }

    /// Why an export does not go on.
    package enum Problem: Sendable, Equatable {
        /// The reader takes nothing.
        case stalled
        /// The reader takes too little.
        case tooSlow
        /// The next chunk isn't made in time.
        case chatTooSlow
    }

    private enum Phase: Sendable {
        case working(since: ContinuousClock.Instant)
        case sending(since: ContinuousClock.Instant)
    }

    private let limits: Limits
    private var phase: Phase
    /// For the reader, before the present phase.
    private var waited: Duration = .zero
    private var bytes = 0

    package init(limits: Limits, now: ContinuousClock.Instant) {
        self.limits = limits
        phase = .working(since: now)
    }

    /// A chunk is offered to the reader.
    package mutating func offer(at now: ContinuousClock.Instant) {
        phase = .sending(since: now)
    }

    /// The reader's side has taken it.
    package mutating func taken(_ count: Int, at now: ContinuousClock.Instant) {
        if case .sending(let since) = phase { waited += since.duration(to: now) }
        bytes += count
        phase = .working(since: now)
    }

    /// What the reader may make the export wait in all, as of now.
    private var patience: Duration {
        limits.allowance + .seconds(1) * (Double(bytes) / Double(max(limits.bytesPerSecond, 1)))
    }

    /// When the export is given up if nothing happens before.
    package var due: ContinuousClock.Instant {
        switch phase {
        case .working(let since): since + limits.longestWork
        case .sending(let since): since + min(limits.longestPause, max(patience - waited, .zero))
        }
    }

    /// Why the export is given up; nil while it may go on.
    package func problem(at now: ContinuousClock.Instant) -> Problem? {
        guard now >= due else { return nil }
        switch phase {
        case .working: return .chatTooSlow
        case .sending(let since): return since + limits.longestPause <= now ? .stalled : .tooSlow
        }
    }
}
