/// How many calls of each method there were, how they ended and how long they took: what ``MetricsInterceptor`` counts
/// and a metrics backend reads when it is asked.
///
/// Counted here rather than through the instruments of a metrics library: a call adds to four numbers, and the
/// instruments would cost it several times that in reference counts that all threads share.
public final class CallMetrics: Sendable {
    /// What one method has come to.
    public struct Reading: Sendable {
        /// Calls that were taken up.
        public var started: Int64
        /// Calls that ended, by status; nil stands for OK.
        public var finished: [(code: RPCError.Code?, count: Int64)]
        /// Calls that are being answered.
        public var inFlight: Int64
        /// How many took at most as long as each of ``CallMetrics/durationBounds``.
        public var atMost: [Int64]
        /// How long all that ended took together, in nanoseconds.
        public var nanoseconds: Int64
    }

    /// The durations that are told apart, in nanoseconds: from 100 µs to ten seconds. A call on a Unix socket takes tens
    /// of microseconds, one that waits for a commit hundreds, one that waits for a neighbour milliseconds.
    public static let durationBounds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// Nil and then every code, each at the position of its number; 0 is OK.
    private static let codes: [RPCError.Code?] = [nil] + RPCError.Code.allCases

    /// Where a method's numbers are, from its first one on.
    private enum Layout {
        static let started = 0
        static let finished = 1
        static let durations = finished + codes.count
        static let nanoseconds = durations + durationBounds.count + 1
        static let count = nanoseconds + 1
    }

    /// Those that are counted.
    public let methods: [MethodDescriptor]
    /// Where each method's numbers begin.
    private let offsets: MethodMap<Int>
    private let sums: StripedSums

    /// - Parameter methods: those that are served; calls of others are not counted, so that nothing a caller says
    ///   makes another number.
    public init(methods: [MethodDescriptor]) {
        self.methods = methods
        var next = 0
        offsets = MethodMap(methods) { _ in
            defer { next += Layout.count }
            return next
        }
        sums = StripedSums(methods.count * Layout.count)
    }

    func began(_ method: MethodDescriptor) {
        guard let offset = offsets[method] else { return }
        sums.add(1, to: offset + Layout.started)
    }

    func ended(_ method: MethodDescriptor, _ code: RPCError.Code?, nanoseconds: Int64) {
        guard let offset = offsets[method] else { return }
        let stripe = StripedSums.Stripe.own
        sums.add(1, to: offset + Layout.finished + (code?.rawValue ?? 0), in: stripe)
        var bucket = 0
        CallMetrics.durationBounds.withUnsafeBufferPointer { bounds in
            while bucket < bounds.count, bounds[bucket] < nanoseconds { bucket += 1 }
        }
        sums.add(1, to: offset + Layout.durations + bucket, in: stripe)
        sums.add(nanoseconds, to: offset + Layout.nanoseconds, in: stripe)
    }

    /// What a method has come to; nil when it isn't counted. While calls are made, its numbers may be a few calls apart.
    public subscript(_ method: MethodDescriptor) -> Reading? {
        guard let offset = offsets[method] else { return nil }
        // Ends are read first, so that a call that begins and ends meanwhile makes nothing negative.
        let finished = CallMetrics.codes.enumerated().map { number, code in
            (code: code, count: sums[offset + Layout.finished + number])
        }
        let started = sums[offset + Layout.started]
        var atMost: [Int64] = []
        for bucket in CallMetrics.durationBounds.indices {
            atMost.append((atMost.last ?? 0) + sums[offset + Layout.durations + bucket])
        }
        return Reading(
            started: started, finished: finished, inFlight: started - finished.reduce(0) { $0 + $1.count },
            atMost: atMost, nanoseconds: sums[offset + Layout.nanoseconds])
    }
}

/// Counts and times calls.
public struct MetricsInterceptor: ServerInterceptor {
    private let metrics: CallMetrics

    public init(_ metrics: CallMetrics) {
        self.metrics = metrics
    }

    public func begin(_ call: ServerCall) async throws(RPCError) {
        metrics.began(call.method)
    }

    public func end(_ call: ServerCall, outcome: RPCError?) {
        metrics.ended(call.method, outcome?.code, nanoseconds: call.elapsedNanoseconds)
    }
}
