internal import InteropContracts
internal import RPC

/// `grpc.testing.BenchmarkService`, written as any service would be.
struct BenchmarkService: GRPCTesting.BenchmarkServiceHandler {
    func unaryCall(
        _ request: GRPCTesting.SimpleRequest, call: ServerCall
    ) async throws -> GRPCTesting.SimpleResponse {
        try response(request)
    }

    func streamingCall(
        _ requests: RequestStream<GRPCTesting.SimpleRequest>, writer: ResponseWriter<GRPCTesting.SimpleResponse>,
        call: ServerCall
    ) async throws {
        for try await request in requests { try await writer.send(try response(request)) }
    }

    func streamingFromClient(
        _ requests: RequestStream<GRPCTesting.SimpleRequest>, call: ServerCall
    ) async throws -> GRPCTesting.SimpleResponse {
        var last = GRPCTesting.SimpleRequest()
        for try await request in requests { last = request }
        return try response(last)
    }

    func streamingFromServer(
        _ request: GRPCTesting.SimpleRequest, writer: ResponseWriter<GRPCTesting.SimpleResponse>, call: ServerCall
    ) async throws {
        // Until the caller is gone: then `send` throws.
        while true { try await writer.send(try response(request)) }
    }

    func streamingBothWays(
        _ requests: RequestStream<GRPCTesting.SimpleRequest>, writer: ResponseWriter<GRPCTesting.SimpleResponse>,
        call: ServerCall
    ) async throws {
        // The first request says how long the responses are.
        var requests = requests.makeAsyncIterator()
        guard let first = try await requests.next() else { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { while !Task.isCancelled { try await writer.send(try response(first)) } }
            while try await requests.next() != nil {}
            group.cancelAll()
        }
    }

    private func response(_ request: GRPCTesting.SimpleRequest) throws -> GRPCTesting.SimpleResponse {
        guard (0...TestService.maxPayloadBytes).contains(Int(request.responseSize)) else {
            throw RPCError.invalid("response_size", "out of range")
        }
        return .init(payload: .zeros(Int(request.responseSize)))
    }
}
