import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("Metadata on the server", .timeLimit(.minutes(1)))
struct MetadataTests {
    /// What a server with that handler for `Echo` answers.
    private func answer(
        _ headers: Metadata = .request(), _ handler: MethodHandler
    ) async throws -> RawResponse {
        try await withServer([handler]) { _, path in
            let client = try RawClient(path)
            client.open()
            let response = client.request(headers, body: framed("x"))
            try await client.wait(for: response)
            return response
        }
    }

    // MARK: Of requests

    @Test("repeated names keep their order, and bytes come with padding, without, and joined by commas")
    func readsRequestMetadata() async throws {
        let seen = Shared<Metadata>([:])
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.metadata }
            return request
        }
        var headers = Metadata.request()
        for (name, value) in [
            ("x-many", "1"), ("k-bin", "AAE="), ("x-many", "2"), ("k-bin", "AAE"), ("k-bin", "/w==,AQ, Ag"),
            ("k-bin", "?"), ("x-many", "1"),
        ] {
            headers.add(name, value)
        }
        let response = try await answer(headers, handler)
        #expect(response.headers["grpc-status"] == "0")
        #expect(seen.value.values("x-many") == ["1", "2", "1"])
        #expect(seen.value.binaryValues("k-bin") == [[0, 1], [0, 1], [255], [1], [2]])
        #expect(seen.value[firstBinary: "k-bin"] == [0, 1])
    }

    @Test(
        "a pair that HTTP lets travel and metadata can't have is left out, and never an error",
        arguments: [
            ("x!y", "1"), ("x", "å"), ("x", "a\tb"), ("x", "\u{80}"), ("x", "a\u{7f}"), ("x", "\té "), ("x-bin", "é"),
        ])
    func leavesImpossibleMetadataOut(name: String, value: String) async throws {
        let seen = Shared<[String]?>(nil)
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.metadata.pairs.map(\.name) }
            return request
        }
        var headers = Metadata.request()
        headers.append(raw: name, value)
        headers.add("x-own", "1")
        let response = try await answer(headers, handler)
        expect(nil, response)
        #expect(seen.value == ["x-own"])
    }

    @Test("spaces and tabs around a value are taken off", arguments: [" a b ", "\ta b\t", "a b  ", " \t a b"])
    func stripsRequestMetadata(value: String) async throws {
        let seen = Shared<[String]?>(nil)
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.metadata.values("x") + call.metadata.values("y") }
            return request
        }
        var headers = Metadata.request()
        headers.append(raw: "x", value)
        headers.append(raw: "y", " \t ")
        headers.append(raw: "grpc-timeout", " 10S\t")
        let response = try await answer(headers, handler)
        expect(nil, response)
        #expect(seen.value == ["a b", ""])
    }

    @Test("headers of HTTP/2 and gRPC are not the caller's metadata")
    func hidesOwnHeaders() async throws {
        let seen = Shared<[String]>([])
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.metadata.pairs.map(\.name) }
            return request
        }
        let changes = [
            "grpc-timeout": "10S", "grpc-encoding": "identity", "grpc-accept-encoding": "gzip", "user-agent": "x",
            "accept-encoding": "identity", "x-own": "1",
        ]
        _ = try await answer(.request(changes: changes), handler)
        #expect(seen.value == ["x-own"])
    }

    @Test("trailers of a request are no metadata, whatever they say")
    func dropsRequestTrailers() async throws {
        let seen = Shared<[String]?>(nil)
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.metadata.pairs.map(\.name) }
            call.setCompression(true)
            return Text(service: String(repeating: "x", count: 1000))
        }
        try await withRawClient([handler]) { client in
            let call = client.request(.request(changes: ["x-own": "1"]), body: framed("x"), end: false)
            call.outboundEnd = .trailers([
                "authorization": "Bearer x", "x-own": "2", "grpc-accept-encoding": "gzip", "grpc-timeout": "never",
            ])
            client.send([], on: call)
            try await client.wait(for: call)
            expect(nil, call)
            #expect(seen.value == ["x-own"])
            #expect(call.headers["grpc-encoding"] == nil)
        }
    }

    @Test("trailers of a request that are far too long end the connection")
    func boundsRequestTrailers() async throws {
        try await withRawClient([.echo], configure: { $0.maxHeaderListBytes = 1000 }) { client in
            let call = client.request(.request(), body: framed("x"), end: false)
            call.outboundEnd = .trailers(["x-large": String(repeating: "x", count: 20_000)])
            client.send([], on: call)
            try await client.wait { client.isClosed }
            #expect(call.blocks.isEmpty)
        }
    }

    // MARK: Of responses

    @Test("a handler's initial metadata goes with the headers, its trailers after the response")
    func sendsResponseMetadata() async throws {
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            call.setInitialMetadata("x-first", "old")
            call.setInitialMetadata("X-First", " new ")
            call.setInitialMetadata("b-bin", binary: [1])
            call.setInitialMetadata("b", binary: [0, 255])
            call.setTrailer("x-last", "end")
            call.setTrailer("t-bin", binary: [1])
            call.setTrailer("t-bin", binary: [2, 3])
            return request
        }
        let response = try await answer(.request(), handler)
        #expect(response.messages.map(\.service) == ["x"])
        #expect(response.headers["x-first"] == "new")
        #expect(response.headers["b-bin"] == Base64.unpadded([0, 255]))
        #expect(response.headers["x-last"] == "end")
        #expect(response.headers["t-bin"] == Base64.unpadded([2, 3]))
        #expect(response.headers["grpc-status"] == "0")
        let blocks = response.blocks.map { Set($0.map(\.name)) }
        #expect(blocks.count == 2)
        #expect(blocks.first?.isSuperset(of: ["x-first", "b-bin"]) == true)
        #expect(blocks.last == ["grpc-status", "x-last", "t-bin"])
    }

    @Test("pairs that are added keep company with those of the same name, in order")
    func sendsDuplicates() async throws {
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            for value in ["1", "2"] {
                call.addInitialMetadata("x-first", value)
                call.addTrailer("x-last", value)
            }
            for value in [[1], [2]] as [[UInt8]] {
                call.addInitialMetadata("b-bin", binary: value)
                call.addTrailer("t", binary: value)
            }
            return request
        }
        let response = try await answer(.request(), handler)
        #expect(response.values("x-first") == ["1", "2"])
        #expect(response.values("x-last") == ["1", "2"])
        #expect(response.values("b-bin") == ["AQ", "Ag"])
        #expect(response.values("t-bin") == ["AQ", "Ag"])
    }

    @Test("reserved and impossible names are left out of what is sent")
    func leavesReservedNamesOut() async throws {
        let names = [
            "grpc-status", "GRPC-Message", "content-type", ":status", "te", "Connection", "x y", "å", "", "x!",
        ]
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            for name in names {
                call.setInitialMetadata(name, "13")
                call.addTrailer(name, "13")
            }
            #expect(call.initialMetadata.isEmpty)
            return request
        }
        let response = try await answer(.request(), handler)
        #expect(response.headers["grpc-status"] == "0")
        #expect(response.headers["content-type"] == "application/grpc")
        #expect(!response.blocks.joined().contains { $0.value == "13" })
    }

    @Test("an error keeps the initial metadata apart from its trailers, and needs no headers without any")
    func sendsMetadataWithErrors() async throws {
        let handler = MethodHandler.unary(.echo) { (_: Text, call) -> Text in
            call.setInitialMetadata("x-first", "1")
            call.setTrailer("x-last", "2")
            throw RPCError(.aborted, "no")
        }
        let response = try await answer(.request(), handler)
        #expect(response.headers["grpc-status"] == "10")
        #expect(response.blocks.count == 2)
        #expect(response.blocks.first?.contains { $0 == ("x-first", "1") } == true)
        #expect(response.blocks.last?.contains { $0 == ("x-last", "2") } == true)
        let bare = MethodHandler.unary(.echo) { (_: Text, call) -> Text in
            call.setTrailer("x-last", "2")
            throw RPCError(.aborted, "no")
        }
        let trailersOnly = try await answer(.request(), bare)
        #expect(trailersOnly.blocks.count == 1)
        #expect(trailersOnly.headers["x-last"] == "2")
    }

    @Test("headers can be sent before the first message, and what is set later has no effect")
    func sendsHeadersEarly() async throws {
        let gate = Gate()
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, call) in
            call.setInitialMetadata("x-first", "1")
            try await writer.sendHeaders()
            try await writer.sendHeaders()
            call.setInitialMetadata("x-late", "1")
            try await gate.wait()
            try await writer.send(Text(service: "message"))
        }
        try await withServer([handler]) { _, path in
            let client = try RawClient(path)
            client.open()
            let response = client.request(.request(MethodDescriptor.count.path), body: framed("x"))
            try await client.wait { response.headers["x-first"] == "1" }
            #expect(response.body.isEmpty)
            #expect(response.headers[":status"] == "200")
            gate.open()
            try await client.wait(for: response)
            #expect(response.messages.map(\.service) == ["message"])
            #expect(response.headers["x-late"] == nil)
            #expect(response.headers["grpc-status"] == "0")
        }
    }

    @Test("an error after early headers is in the trailers; sending from another thread works as well")
    func failsAfterEarlyHeaders() async throws {
        let handler = MethodHandler.serverStreaming(.count) { (_: Text, writer: ResponseWriter<Text>, call) in
            call.setInitialMetadata("x-first", "1")
            try await Task.detached { try await writer.sendHeaders() }.value
            throw RPCError(.aborted, "no")
        }
        try await withServer([handler]) { _, path in
            let client = try RawClient(path)
            client.open()
            let response = client.request(.request(MethodDescriptor.count.path), body: framed("x"))
            try await client.wait(for: response)
            #expect(response.blocks.count == 2)
            #expect(response.headers["x-first"] == "1")
            #expect(response.headers["grpc-status"] == "10")
        }
    }

    @Test("many pairs are taken in with few moves")
    func growsGeometrically() {
        var metadata = Metadata()
        var capacities: Set<Int> = []
        for _ in 0..<10_000 {
            metadata.add("x-name", "value")
            capacities.insert(metadata.storage.capacity)
        }
        #expect(capacities.count < 40)
    }

    @Test("spaces around a value are taken off")
    func trimsValues() {
        var metadata = Metadata()
        for value in ["  a b ", "   ", "c"] { metadata.add("x", value) }
        #expect(metadata.values("x") == ["a b", "", "c"])
    }
}
