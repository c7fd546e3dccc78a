internal import Synchronization

/// Where a call stands in a distributed trace (W3C Trace Context, Recommendation of 23 November 2021): which trace it
/// belongs to, and which span of it the call is.
///
/// Nothing is recorded here: the identifiers are passed on and put into log lines, so that what several processes wrote
/// about one request can be found together.
public struct TraceContext: Sendable, Hashable {
    /// The whole trace: 16 bytes, never all zero.
    struct TraceID: Sendable, Hashable {
        var high: UInt64
        var low: UInt64
    }

    var trace: TraceID
    /// This call's part of the trace: 8 bytes, never all zero.
    var span: UInt64
    /// Whether whoever began the trace wants it recorded (`trace-flags`, bit 0). Passed on as it came.
    public var isSampled: Bool
    /// What tracing systems say to themselves (`tracestate`), passed on as it came; "" when there is none.
    public var state: String

    /// The trace, as 32 hexadecimal digits: what log lines carry.
    public var traceID: String { String(decoding: TraceParent.digits(trace.high, trace.low), as: UTF8.self) }
    /// The span, as 16 hexadecimal digits.
    public var spanID: String { String(decoding: TraceParent.digits(span), as: UTF8.self) }

    /// The first span of a new trace. It is not sampled, since nothing here records any.
    public static func root() -> TraceContext {
        TraceContext(
            trace: TraceID(high: TraceIdentifiers.next(), low: TraceIdentifiers.next()), span: TraceIdentifiers.next(),
            isSampled: false, state: "")
    }

    /// A span of the same trace, caused by this one.
    public func child() -> TraceContext {
        var child = self
        child.span = TraceIdentifiers.next()
        return child
    }
}

extension CallKey where Value == TraceContext {
    /// The span of the call itself, whose parent is the caller's.
    public static var trace: CallKey<TraceContext> { CallKey("rpc.trace") }
}

extension ServerCall {
    /// The span that the call is. It continues the caller's trace when the caller sent a well-formed one and a
    /// ``TraceInterceptor`` is in the chain; otherwise a trace begins here, the first time somebody asks.
    public var trace: TraceContext { value(.trace, orAttach: .root()) }
}

/// Identifiers that are unique and evenly spread, at a few nanoseconds each. They are no secrets: whoever sees some may
/// foretell others, and can do nothing with that.
enum TraceIdentifiers {
    // Drawn once for each process, so that processes don't repeat one another.
    private static let seed = UInt64.random(in: .min ... .max)
    private static let counter = Atomic<UInt64>(0)

    /// Never zero.
    static func next() -> UInt64 {
        // SplitMix64: a bijection of a sequence with period 2^64, so no number comes twice in a process.
        let position = counter.wrappingAdd(1, ordering: .relaxed).newValue
        var number = seed &+ position &* 0x9E37_79B9_7F4A_7C15
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        number ^= number >> 31
        return number == 0 ? 1 : number
    }
}
