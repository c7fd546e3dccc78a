public import CoreMetrics

/// Counts and times calls by method, through swift-metrics, into whatever backend it is given.
///
/// | metric | kind | dimensions |
/// | --- | --- | --- |
/// | `rpc_server_calls_started_total` | counter | `service`, `method` |
/// | `rpc_server_calls_finished_total` | counter | `service`, `method`, `code` |
/// | `rpc_server_calls_in_flight` | meter | `service`, `method` |
/// | `rpc_server_call_duration_seconds` | timer | `service`, `method` |
///
/// Dimensions are names of methods that exist, and of status codes: nothing that a caller says becomes one. All are made
/// at the start, so that a rate is right from the first call on and a call looks nothing up by name.
public struct MetricsInterceptor: ServerInterceptor {
    /// Of one method.
    private struct Instruments: Sendable {
        let started: Counter
        let inFlight: Meter
        let duration: Timer
        /// By the number of the status code.
        let finished: [Counter]
    }

    private let instruments: MethodMap<Instruments>

    /// - Parameters:
    ///   - methods: those that are served; calls of others are not counted.
    ///   - factory: the backend.
    public init(methods: [MethodDescriptor], factory: any MetricsFactory) {
        instruments = MethodMap(methods) { method in
            let dimensions = [("service", method.service), ("method", method.method)]
            let codes = ["OK"] + RPCError.Code.allCases.map(\.name)
            return Instruments(
                started: Counter(label: "rpc_server_calls_started_total", dimensions: dimensions, factory: factory),
                inFlight: Meter(label: "rpc_server_calls_in_flight", dimensions: dimensions, factory: factory),
                duration: Timer(label: "rpc_server_call_duration_seconds", dimensions: dimensions, factory: factory),
                finished: codes.map { code in
                    Counter(
                        label: "rpc_server_calls_finished_total", dimensions: dimensions + [("code", code)],
                        factory: factory)
                })
        }
    }

    public func begin(_ call: ServerCall) async throws(RPCError) {
        guard let instruments = instruments[call.method] else { return }
        instruments.started.increment()
        instruments.inFlight.increment()
    }

    public func end(_ call: ServerCall, outcome: RPCError?) {
        guard let instruments = instruments[call.method] else { return }
        instruments.inFlight.decrement()
        // Codes are numbered from 1 without a gap; 0 is OK.
        instruments.finished[outcome?.code.rawValue ?? 0].increment()
        instruments.duration.recordNanoseconds(call.elapsedNanoseconds)
    }
}
