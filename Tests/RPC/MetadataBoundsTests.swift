import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("How much may go along with responses", .timeLimit(.minutes(1)))
struct MetadataBoundsTests {
    private let large = String(repeating: "x", count: 40_000)

    private func answer(_ handler: MethodHandler) async throws -> RawResponse {
        try await withServer([handler]) { _, path in
            let client = try RawClient(path)
            client.open()
            let call = client.request(.request(handler.method.path), body: framed("x"))
            try await client.wait(for: call)
            return call
        }
    }

    @Test("a status with thousands of fields reaches its caller, without them")
    func boundsStatus() async throws {
        let fields = (0..<5000).map { RPCError.FieldViolation(field: "questions[\($0)]", reason: "is empty") }
        let handler = MethodHandler.unary(.echo) { (_: Text, _) -> Text in
            throw RPCError(.invalidArgument, "much", reason: "MUCH", fields: fields)
        }
        let response = try await answer(handler)
        expect(.invalidArgument, response)
        #expect(response.headers["grpc-message"] == "much")
    }

    @Test("a handler that sets more than can be sent ends its call with INTERNAL", arguments: [true, false])
    func boundsUnary(initial: Bool) async throws {
        let outcomes = Shared<[RPCError?]>([])
        let handler = MethodHandler.unary(.echo) { [large] (request: Text, call) in
            call.setTrailer("x-small", "1")
            if initial { call.setInitialMetadata("x-large", large) } else { call.setTrailer("x-large", large) }
            return request
        }
        try await withServer([handler], interceptors: [Recorder(outcomes)]) { _, path in
            let client = try RawClient(path)
            client.open()
            let call = client.request(.request(), body: framed("x"))
            try await client.wait(for: call)
            expect(.internal, call)
            #expect(call.headers["x-small"] == "1")
            #expect(call.headers["x-large"] == nil)
            #expect(outcomes.value.map(\.?.code) == [.internal])
        }
    }

    @Test("many small pairs count as well, and what fits is sent")
    func countsPairs() async throws {
        for (count, code) in [(500, nil), (1500, RPCError.Code.internal)] {
            let handler = MethodHandler.unary(.echo) { (request: Text, call) in
                for _ in 0..<count { call.addTrailer("x", "1") }
                return request
            }
            expect(code, try await answer(handler))
        }
    }

    @Test("a stream whose headers are too large ends with INTERNAL, and its sender is told", arguments: [true, false])
    func boundsStream(early: Bool) async throws {
        let seen = Shared<RPCError?>(nil)
        let handler = MethodHandler.serverStreaming(.count) {
            [large] (_: Text, writer: ResponseWriter<Text>, call) in
            call.setInitialMetadata("x-large", large)
            do {
                if early { try await writer.sendHeaders() }
                for _ in 0..<100 { try await writer.send(Text(service: large)) }
            } catch {
                seen.update { $0 = error as? RPCError }
                throw error
            }
        }
        let response = try await answer(handler)
        expect(.internal, response)
        try await eventually("the handler is told") { seen.value != nil }
    }

    @Test("a stream whose trailers are too large gives its responses, and ends with INTERNAL")
    func boundsTrailers() async throws {
        let handler = MethodHandler.serverStreaming(.count) {
            [large] (_: Text, writer: ResponseWriter<Text>, call) in
            try await writer.send(Text(service: "one"))
            call.setTrailer("x-large", large)
        }
        let response = try await answer(handler)
        expect(.internal, response)
        #expect(response.messages.map(\.service) == ["one"])
    }

    @Test("a header block that HTTP/2 can't take resets its stream, so that nobody waits for it")
    func resetsUnsentBlocks() throws {
        let server = Endpoint(.server)
        let client = Endpoint(.client)
        let call = RawResponse()
        call.outboundEnd = .endOfStream
        let session = try #require(client.session)
        #expect(session.submitRequest(call, StaticHeaders([]), .request(), nil, [:]))
        try client.send(to: server)
        let stream = try #require(server.stream)
        var tooLarge = Metadata()
        for _ in 0..<3 { tooLarge.add("x-large", large) }
        server.session?.submitHeadersOnly(stream, prefix: .response, tooLarge)
        try server.send(to: client)
        #expect(call.resetCode == 2)
    }
}

private struct Recorder: ServerInterceptor {
    let outcomes: Shared<[RPCError?]>

    init(_ outcomes: Shared<[RPCError?]>) {
        self.outcomes = outcomes
    }

    func begin(_ call: ServerCall) {}

    func end(_ call: ServerCall, outcome: RPCError?) {
        outcomes.update { $0.append(outcome) }
    }
}

/// One side of a connection without sockets.
private final class Endpoint: HTTP2SessionDelegate {
    private(set) var session: HTTP2Session?
    private(set) var stream: RawResponse?

    init(_ side: HTTP2Session.Side) {
        let settings = HTTP2Session.Settings(
            maxConcurrentStreams: 10, maxHeaderListBytes: 64 * 1024, streamWindow: 65_535, connectionWindow: 65_535)
        session = HTTP2Session(side: side, settings: settings, delegate: self)
    }

    func send(to other: Endpoint) throws {
        var buffer = ByteBuffer()
        while try session?.send(into: &buffer, upTo: .max) == true {}
        try buffer.withUnsafeReadableBytes { try other.session?.receive($0) }
    }

    func streamBegan(id: Int32) -> HTTP2Stream? {
        let began = RawResponse()
        stream = began
        return began
    }

    func streamClosed(_ stream: HTTP2Stream) {}
    func settingsReceived() {}
    func goAwayReceived(forPings: Bool) {}
    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool { true }
}
