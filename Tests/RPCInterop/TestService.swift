internal import InteropContracts
internal import RPC

/// `grpc.testing.TestService`, as gRPC's interoperability tests describe it.
struct TestService: GRPCTesting.TestServiceHandler {
    /// The longest payload it makes, in bytes.
    static let maxPayloadBytes = 64 * 1024 * 1024

    func emptyCall(_ request: GRPCTesting.Empty, call: ServerCall) async throws -> GRPCTesting.Empty {
        echoMetadata(call)
        return .init()
    }

    func unaryCall(
        _ request: GRPCTesting.SimpleRequest, call: ServerCall
    ) async throws -> GRPCTesting.SimpleResponse {
        echoMetadata(call)
        try expectCompressed(request.expectCompressed, call.requestWasCompressed)
        if let compressed = request.responseCompressed { call.setCompression(compressed.value) }
        try endAsAsked(request.responseStatus)
        return .init(payload: try payload(request.responseSize))
    }

    /// As ``unaryCall(_:call:)``: there is no cache before a Unix socket.
    func cacheableUnaryCall(
        _ request: GRPCTesting.SimpleRequest, call: ServerCall
    ) async throws -> GRPCTesting.SimpleResponse {
        try await unaryCall(request, call: call)
    }

    func streamingOutputCall(
        _ request: GRPCTesting.StreamingOutputCallRequest,
        writer: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>, call: ServerCall
    ) async throws {
        echoMetadata(call)
        try await answer(request, writer, call)
    }

    func streamingInputCall(
        _ requests: RequestStream<GRPCTesting.StreamingInputCallRequest>, call: ServerCall
    ) async throws -> GRPCTesting.StreamingInputCallResponse {
        echoMetadata(call)
        var sum = 0
        for try await request in requests {
            try expectCompressed(request.expectCompressed, call.requestWasCompressed)
            sum += request.payload?.body.count ?? 0
        }
        return .init(aggregatedPayloadSize: Int32(clamping: sum))
    }

    func fullDuplexCall(
        _ requests: RequestStream<GRPCTesting.StreamingOutputCallRequest>,
        writer: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>, call: ServerCall
    ) async throws {
        echoMetadata(call)
        for try await request in requests {
            try endAsAsked(request.responseStatus)
            try await answer(request, writer, call)
        }
    }

    func halfDuplexCall(
        _ requests: RequestStream<GRPCTesting.StreamingOutputCallRequest>,
        writer: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>, call: ServerCall
    ) async throws {
        echoMetadata(call)
        var waiting: [GRPCTesting.StreamingOutputCallRequest] = []
        for try await request in requests { waiting.append(request) }
        for request in waiting { try await answer(request, writer, call) }
    }

    func unimplementedCall(_ request: GRPCTesting.Empty, call: ServerCall) async throws -> GRPCTesting.Empty {
        throw RPCError(.unimplemented, "this method is not to be served")
    }

    private func answer(
        _ request: GRPCTesting.StreamingOutputCallRequest,
        _ writer: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>, _ call: ServerCall
    ) async throws {
        for parameters in request.responseParameters {
            if parameters.intervalUs > 0 { try await Task.sleep(for: .microseconds(parameters.intervalUs)) }
            if let compressed = parameters.compressed { call.setCompression(compressed.value) }
            try await writer.send(.init(payload: try payload(parameters.size)))
        }
    }

    private func echoMetadata(_ call: ServerCall) {
        if let value = call.metadata[first: InteropCase.echoInitial] {
            call.setInitialMetadata(InteropCase.echoInitial, value)
        }
        if let value = call.metadata[firstBinary: InteropCase.echoTrailing] {
            call.setTrailer(InteropCase.echoTrailing, binary: value)
        }
    }

    private func expectCompressed(_ expected: GRPCTesting.BoolValue?, _ isCompressed: Bool) throws {
        if let expected, expected.value != isCompressed {
            throw RPCError.invalid("expect_compressed", "the request came \(isCompressed ? "" : "un")compressed")
        }
    }

    private func endAsAsked(_ status: GRPCTesting.EchoStatus?) throws {
        guard let status, status.code != 0 else { return }
        throw RPCError(RPCError.Code(rawValue: Int(status.code)) ?? .unknown, status.message)
    }

    private func payload(_ size: Int32) throws -> GRPCTesting.Payload {
        guard (0...TestService.maxPayloadBytes).contains(Int(size)) else {
            throw RPCError.invalid("response_size", "out of range")
        }
        return .zeros(Int(size))
    }
}
