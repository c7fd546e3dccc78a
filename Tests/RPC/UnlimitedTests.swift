import NIOCore
import Testing

@testable import RPC

@Suite("Limits that are none", .timeLimit(.minutes(1)))
struct UnlimitedTests {
    private static let unlimited = MethodDescriptor.test("Unlimited", maxRequestBytes: .max)
    private static let text = String(repeating: "all there is ", count: 10_000)

    private static var limits: ClientLimits {
        var limits = ClientLimits()
        limits.maxResponseBytes = .max
        limits.maxWaitingCalls = .max
        limits.streamWindow = .max
        limits.connectionWindow = .max
        limits.maxHeaderListBytes = .max
        limits.handshakeTimeout = .seconds(Int64.max)
        limits.maxControlFramesPerSecond = .max
        return limits
    }

    @Test("a client and a server that bound nothing understand each other", arguments: [Compression.identity, .gzip])
    func bounds(compression: Compression) async throws {
        let handler = MethodHandler.unary(Self.unlimited) { (request: Text, call) in
            call.setCompression(compression == .gzip)
            return request
        }
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxControlFramesPerSecond = .max
            configuration.maxResetsPerSecond = .max
        }
        try await withServer([handler], configure: configure) { _, path in
            let channel = RPCChannel(
                targets: [.path(path)], name: "neighbour", limits: Self.limits, group: testGroup, logger: testLogger)
            var options = CallOptions(timeout: .seconds(20))
            options.compression = compression
            for limit in [nil, Int.max] {
                options.maxResponseBytes = limit
                let response: Text = try await channel.unary(
                    Self.unlimited, Text(service: Self.text), options: options)
                #expect(response.service == Self.text)
            }
            await channel.close()
        }
    }

    @Test("a limit below nothing lets nothing through", arguments: [0, -1, -100, Int.min])
    func refuses(limit: Int) throws {
        var deframer = MessageDeframer(limit: limit, noun: "response")
        deframer.allowsCompressed = true
        #expect(throws: RPCError.self) {
            try framed("x").withUnsafeBytes { try deframer.append($0) { _ throws(RPCError) in } }
        }
        let compressed = try #require(Gzip.deflate(ByteBuffer(repeating: 0, count: 1000)))
        #expect(throws: Gzip.Failure.tooLong) { try Gzip.inflate(compressed, limit: limit) }
    }
}
