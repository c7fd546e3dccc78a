import Foundation
import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Compression on the server", .timeLimit(.minutes(1)))
struct CompressionTests {
    private let long = String(repeating: "a text that repeats itself. ", count: 400)

    /// The message in gzip, with its prefix.
    private func gzipped(_ bytes: ByteBuffer) throws -> [UInt8] {
        let deflated = try #require(Gzip.deflate(bytes))
        return [1] + withUnsafeBytes(of: UInt32(deflated.readableBytes).bigEndian) { Array($0) }
            + Array(deflated.readableBytesView)
    }

    private func gzipped(_ text: String) throws -> [UInt8] {
        try gzipped(ByteBuffer(bytes: Text(service: text).serialized()))
    }

    /// The one message of a body, inflated if it is marked as compressed.
    private func message(_ body: [UInt8]) throws -> (text: String, isCompressed: Bool) {
        let bytes = ByteBuffer(bytes: body.dropFirst(5))
        let message = InboundMessage(bytes: bytes, isCompressed: body.first == 1)
        return (
            try Text(serialized: message.decoded(limit: 10_000_000, noun: "response")).service, message.isCompressed
        )
    }

    private func call(
        _ handlers: [MethodHandler], to method: MethodDescriptor = .echo, _ changes: [String: String?], _ body: [UInt8],
        configure: (inout RPCServer.Configuration) -> Void = { _ in }
    ) async throws -> RawResponse {
        try await withServer(handlers, configure: configure) { _, path in
            let client = try RawClient(path)
            client.open()
            let response = client.request(.request(method.path, changes: changes), body: body)
            try await client.read(response)
            return response
        }
    }

    private let gzip: [String: String?] = ["grpc-encoding": "gzip"]

    // MARK: Requests

    @Test("a compressed request is inflated, and one that isn't is taken as it is; the handler can tell")
    func inflatesRequests() async throws {
        let seen = Shared<[Bool]>([])
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0.append(call.requestWasCompressed) }
            return request
        }
        let compressed = try await call([handler], gzip, gzipped(long))
        #expect(compressed.messages.map(\.service) == [long])
        let plain = try await call([handler], gzip, framed("plain"))
        #expect(plain.messages.map(\.service) == ["plain"])
        #expect(seen.value == [true, false])
    }

    @Test("each request of a stream says for itself whether it is compressed")
    func inflatesStreams() async throws {
        let seen = Shared<[Bool]>([])
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, call) in
            var texts: [String] = []
            for try await request in requests {
                texts.append(request.service)
                seen.update { $0.append(call.requestWasCompressed) }
            }
            return Text(service: texts.joined())
        }
        let body = try gzipped(long) + framed("plain") + gzipped(long)
        let response = try await call([handler], to: .gather, gzip, body)
        #expect(response.messages.map(\.service) == [long + "plain" + long])
        #expect(seen.value == [true, false, true])
    }

    @Test("a task of a handler's own may take compressed requests, wherever it runs")
    func inflatesElsewhere() async throws {
        let handler = MethodHandler.clientStreaming(.gather) { (requests: RequestStream<Text>, _) in
            let reader = Task.detached {
                var count = 0
                for try await request in requests { count += request.service.utf8.count }
                return count
            }
            return Text(service: String(try await reader.value))
        }
        let body = repeated(try gzipped(long), 50)
        let response = try await call([handler], to: .gather, gzip, body)
        #expect(response.messages.map(\.service) == [String(long.utf8.count * 50)])
    }

    @Test("a request that can't be inflated ends the call after the responses that were given before it")
    func endsAfterResponses() async throws {
        let handler = MethodHandler.bidirectional(.chat) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, _) in
            for try await request in requests { try await writer.send(request) }
        }
        let body = try gzipped(long) + [1, 0, 0, 0, 3, 1, 2, 3]
        let response = try await call([handler], to: .chat, gzip, body)
        #expect(response.messages.map(\.service) == [long])
        expect(.internal, response)
    }

    @Test("what is not gzip is INTERNAL", arguments: [false, true])
    func refusesBrokenGzip(streaming: Bool) async throws {
        let method: MethodDescriptor = streaming ? .gather : .echo
        let contents: [[UInt8]] = [[1, 2, 3], Array(try gzipped(long).dropFirst(5).dropLast(4)), []]
        let bodies = contents.map { [1] + withUnsafeBytes(of: UInt32($0.count).bigEndian) { Array($0) } + $0 }
        for body in bodies {
            let response = try await call([.echo, .gather], to: method, gzip, body)
            #expect(response.headers["grpc-status"] == "13")
        }
    }

    @Test(
        "a small request that inflates to a hundred times its limit is refused at the limit", arguments: [false, true])
    func refusesBombs(streaming: Bool) async throws {
        let bomb = try gzipped(ByteBuffer(repeating: 0, count: 100_000_000))
        #expect(bomb.count < 500_000)
        let method: MethodDescriptor = streaming ? .gather : .echo
        try HighestMemory.forget()
        let before = try HighestMemory.read()
        let response = try await call([.echo, .gather], to: method, gzip, bomb)
        #expect(response.headers["grpc-status"] == "8")
        // Four times the larger limit, and the tests that run meanwhile.
        let grown = try HighestMemory.read() - before
        #expect(grown < 50_000_000)
    }

    @Test("what requests inflate to counts among the connection's requests in memory")
    func countsInflatedBytes() async throws {
        let large = try gzipped(ByteBuffer(repeating: 0, count: 500_000))
        for method in [MethodDescriptor.echo, .gather] {
            let response = try await call(
                [.rawUnary(.echo) { bytes, _ in bytes }, .gather], to: method, gzip, large,
                configure: { $0.maxBufferedRequestBytes = 400_000 })
            #expect(response.headers["grpc-status"] == "8")
        }
        // Each one is let go of when the next is taken.
        let gather = MethodHandler.rawClientStreaming(.gather) { requests, _ in
            var bytes = 0
            for try await request in requests { bytes += request.readableBytes }
            return ByteBuffer(bytes: Text(service: String(bytes)).serialized())
        }
        let body = repeated(large, 20)
        let response = try await call(
            [gather], to: .gather, gzip, body, configure: { $0.maxBufferedRequestBytes = 600_000 })
        #expect(response.messages.map(\.service) == ["10000000"])
    }

    // MARK: Responses

    @Test(
        "a handler compresses its response for a caller that accepts gzip",
        arguments: ["gzip", "identity, deflate, gzip", "gzip,x"])
    func compressesResponses(accepted: String) async throws {
        let handler = MethodHandler.unary(.echo) { [long] (_: Text, call) in
            call.setCompression(true)
            return Text(service: long)
        }
        let response = try await call([handler], ["grpc-accept-encoding": accepted], framed("x"))
        #expect(response.headers["grpc-encoding"] == "gzip")
        #expect(response.body.count < long.utf8.count / 10)
        #expect(try message(response.body) == (long, true))
    }

    @Test("and not for one that doesn't", arguments: [nil, "identity", "deflate,xgzip", "gzipx"])
    func sendsPlainResponses(accepted: String?) async throws {
        let handler = MethodHandler.unary(.echo) { [long] (_: Text, call) in
            call.setCompression(true)
            return Text(service: long)
        }
        let response = try await call([handler], ["grpc-accept-encoding": accepted], framed("x"))
        #expect(response.headers["grpc-encoding"] == nil)
        #expect(response.messages.map(\.service) == [long])
    }

    @Test("the configuration says what handlers leave open, and a short message stays as it is")
    func compressesByConfiguration() async throws {
        let handler = MethodHandler.unary(.echo) { [long] (request: Text, call) in
            if request.service == "off" { call.setCompression(false) }
            return Text(service: request.service == "short" ? "short" : long)
        }
        let accepts: [String: String?] = ["grpc-accept-encoding": "gzip"]
        let on = { (configuration: inout RPCServer.Configuration) in configuration.responseCompression = true }
        let long = try await call([handler], accepts, framed("x"), configure: on)
        #expect(try message(long.body) == (self.long, true))
        let short = try await call([handler], accepts, framed("short"), configure: on)
        #expect(try message(short.body) == ("short", false))
        let off = try await call([handler], accepts, framed("off"), configure: on)
        #expect(try message(off.body) == (self.long, false))
        let without = try await call([handler], accepts, framed("x"))
        #expect(without.headers["grpc-encoding"] == nil)
    }

    @Test("a stream's handler chooses for each message, a shared one is compressed once")
    func compressesStreams() async throws {
        let handler = MethodHandler.serverStreaming(.count) { [long] (_: Text, writer: ResponseWriter<Text>, call) in
            let shared = EncodedMessage(Text(service: long))
            call.setCompression(true)
            try await writer.send(Text(service: long))
            call.setCompression(false)
            try await writer.send(Text(service: long))
            call.setCompression(true)
            try await writer.send(shared)
        }
        let response = try await call([handler], to: .count, ["grpc-accept-encoding": "gzip"], framed("x"))
        #expect(response.headers["grpc-encoding"] == "gzip")
        let parts = split(response.body)
        expectEqual(try parts.map { try message($0).text }, [long, long, long])
        expectEqual(try parts.map { try message($0).isCompressed }, [true, false, true])
    }

    @Test("headers that were sent without gzip can't be followed by it")
    func keepsToItsHeaders() async throws {
        let handler = MethodHandler.serverStreaming(.count) { [long] (_: Text, writer: ResponseWriter<Text>, call) in
            try await writer.sendHeaders()
            call.setCompression(true)
            try await writer.send(Text(service: long))
        }
        let response = try await call([handler], to: .count, ["grpc-accept-encoding": "gzip"], framed("x"))
        #expect(response.headers["grpc-encoding"] == nil)
        #expect(response.messages.map(\.service) == [long])
    }

    private func split(_ body: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var left = body[...]
        while left.count >= 5 {
            let length = 5 + left.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            parts.append(Array(left.prefix(length)))
            left = left.dropFirst(length)
        }
        return parts
    }
}
