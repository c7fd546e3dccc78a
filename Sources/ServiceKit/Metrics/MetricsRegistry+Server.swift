internal import CoreMetrics
internal import NIOCore
internal import RPC

extension MetricsRegistry {
    /// Says what the runtime's own metrics mean.
    func describeCalls() {
        describe("rpc_server_calls_started_total", "Calls whose request was complete and that were taken up.")
        describe("rpc_server_calls_finished_total", "Calls that ended, by status code.")
        describe("rpc_server_calls_in_flight", "Calls that are being answered.")
        describe("rpc_server_call_duration_seconds", "From taking a call up to its end.")
    }
}
