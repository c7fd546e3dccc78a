internal import RPC

extension MetricsRegistry {
    /// Shows what was counted of calls. All series are there from the start, so that a rate is right from the first call
    /// on; their labels are names of methods and of status codes, and nothing that a caller says.
    func observe(_ calls: CallMetrics) {
        describe("rpc_server_calls_started_total", "Calls that were taken up: their request was complete.")
        describe("rpc_server_calls_finished_total", "Calls that ended, by status code.")
        describe("rpc_server_calls_in_flight", "Calls that are being answered.")
        describe("rpc_server_call_duration_seconds", "From taking a call up to its end.")
        for method in calls.methods {
            let labels = [("service", method.service), ("method", method.method)]
            observe("rpc_server_calls_started_total", .counter, labels) { .value(calls[method]?.started) }
            observe("rpc_server_calls_in_flight", .gauge, labels) { .value(calls[method]?.inFlight) }
            observe("rpc_server_call_duration_seconds", .histogram, labels) { .durations(calls[method]) }
            for (number, code) in (["OK"] + RPCError.Code.allCases.map(\.name)).enumerated() {
                observe("rpc_server_calls_finished_total", .counter, labels + [("code", code)]) {
                    .value(calls[method]?.finished[number].count)
                }
            }
        }
    }

    /// Shows what became of a server's connections, for as long as there is the server.
    func observe(_ server: RPCServer) {
        func show(
            _ name: String, _ kind: Kind, _ help: String, _ value: @escaping @Sendable (ServerStatistics) -> Int
        ) {
            describe(name, help)
            observe(name, kind) { [weak server] in Double(server.map { value($0.statistics) } ?? 0) }
        }
        show("rpc_server_connections_accepted_total", .counter, "Connections that were served.") { $0.accepted }
        show(
            "rpc_server_connections_refused_peers_total", .counter,
            "Connections closed at once: their process has no role."
        ) { $0.refusedPeers }
        show(
            "rpc_server_connections_refused_limit_total", .counter,
            "Connections closed at once: there were as many as there may be."
        ) { $0.refusedForLimit }
        show(
            "rpc_server_connections_refused_process_limit_total", .counter,
            "Connections closed at once: their process had as many as one may."
        ) { $0.refusedForProcessLimit }
        show(
            "rpc_server_connections_protocol_errors_total", .counter,
            "Connections ended: the other side broke the protocol."
        ) { $0.protocolErrors }
        show(
            "rpc_server_requests_protocol_errors_total", .counter,
            "Requests reset: they broke the rules of HTTP/2."
        ) { $0.streamErrors }
        show(
            "rpc_server_connections_floods_total", .counter, "Connections ended: too many frames or resets."
        ) { $0.floods }
        show(
            "rpc_server_connections_keepalive_timeouts_total", .counter, "Connections ended: a ping wasn't answered."
        ) { $0.keepaliveTimeouts }
        show(
            "rpc_server_accept_pauses_total", .counter,
            "Times that accepting stopped for a moment: there were no descriptors or no memory for a connection."
        ) { $0.acceptPauses }
        show("rpc_server_connections_open", .gauge, "Connections that are open.") { $0.openConnections }
    }
}

extension MetricReading {
    fileprivate static func value(_ number: Int64?) -> MetricReading { .value(Double(number ?? 0)) }

    fileprivate static func durations(_ reading: CallMetrics.Reading?) -> MetricReading {
        .distribution(
            bounds: CallMetrics.durationBounds.map { Double($0) / 1e9 }, atMost: reading?.atMost ?? [],
            count: reading?.finished.reduce(0) { $0 + $1.count } ?? 0, sum: Double(reading?.nanoseconds ?? 0) / 1e9)
    }
}
