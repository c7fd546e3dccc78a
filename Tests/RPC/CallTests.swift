import Glibc
import NIOCore
import ProtobufC
import RPC
import Testing

@Suite("Unary calls", .timeLimit(.minutes(1)))
struct CallTests {
    @Test("a request is answered with its response")
    func answers() async throws {
        try await withServer([.echo]) { channel, _ in
            let response: Text = try await channel.unary(.echo, Text(service: "hello"), options: .init())
            #expect(response.service == "hello")
        }
    }

    @Test("an empty request is a request")
    func answersEmpty() async throws {
        try await withServer([.echo]) { channel, _ in
            let response: Text = try await channel.unary(.echo, Text(), options: .init())
            #expect(response == Text())
        }
    }

    @Test("a message larger than every window arrives whole")
    func carriesLargeMessages() async throws {
        let text = String(repeating: "å", count: 400_000)
        try await withServer([.echo]) { channel, _ in
            let response: Text = try await channel.unary(.echo, Text(service: text), options: .init())
            #expect(response.service == text)
        }
    }

    @Test("two thousand calls at once, more than the server lets in, are all answered with their own response")
    func answersMany() async throws {
        try await withServer([.echo], configure: { $0.maxConcurrentStreams = 50 }) { channel, _ in
            try await withThrowingTaskGroup(of: Bool.self) { tasks in
                for number in 0..<2000 {
                    tasks.addTask {
                        let text = Text(service: "call \(number)")
                        let response: Text = try await channel.unary(.echo, text, options: .init())
                        return response == text
                    }
                }
                for try await isRight in tasks { #expect(isRight) }
            }
        }
    }

    @Test("a status arrives with its code, message, reason and fields")
    func carriesErrors() async throws {
        let thrown = RPCError(
            .failedPrecondition, "stängt: 100 % över\n", reason: "SESSION_ENDED",
            fields: [.init(field: "a.b[2]", reason: "too late"), .init(field: "c", reason: "empty")])
        let handler = MethodHandler.unary(.echo) { (_: Text, _) -> Text in throw thrown }
        try await withServer([handler]) { channel, _ in
            let status = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(status == thrown)
        }
    }

    @Test("an error that is no status becomes INTERNAL and says nothing about itself")
    func hidesErrors() async throws {
        struct Secret: Error { var person = "Astrid" }
        let handler = MethodHandler.unary(.echo) { (_: Text, _) -> Text in throw Secret() }
        try await withServer([handler]) { channel, _ in
            let status = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(status == RPCError(.internal, "internal error"))
        }
    }

    @Test("a method nobody serves is UNIMPLEMENTED")
    func refusesUnknownMethods() async throws {
        try await withServer([.echo]) { channel, _ in
            let status = try await status {
                try await channel.unary(.test("Missing"), Text(), options: .init(), as: Text.self)
            }
            #expect(status?.code == .unimplemented)
        }
    }

    @Test(
        "a request that is no encoding of its message is INTERNAL, whichever field it breaks in",
        arguments: [
            // A tag without end, a field of another wire type, one that is cut short, a group.
            [0xFF, 0xFF, 0xFF], [0x08, 1], [0x0A, 5, 0x61], [0x0B],
        ] as [[UInt8]])
    func refusesMalformedRequests(bytes: [UInt8]) async throws {
        try await withServer([.echo]) { channel, _ in
            let status = try await status {
                try await channel.rawUnary(.echo, .init(bytes: bytes), options: .init())
            }
            #expect(status?.code == .internal)
            #expect(status?.reason == "MALFORMED_REQUEST")
        }
    }

    @Test(
        "a text that isn't UTF-8 or has a NUL in it is INVALID_ARGUMENT, and names its field", arguments: [0xFF, 0x00])
    func refusesMalformedTexts(byte: UInt8) async throws {
        try await withServer([.echo]) { channel, _ in
            let status = try await status {
                try await channel.rawUnary(.echo, .init(bytes: [0x0A, 2, 0x61, byte]), options: .init())
            }
            #expect(status?.code == .invalidArgument)
            #expect(status?.reason == "INVALID_FIELD")
            #expect(status?.fields.map(\.field) == ["service"])
        }
    }

    @Test("a request over the method's limit is refused before it is read")
    func refusesLargeRequests() async throws {
        let small = MethodDescriptor.test("Small", maxRequestBytes: 100)
        let handler = MethodHandler.unary(small) { (request: Text, _) in request }
        try await withServer([handler, .echo]) { channel, _ in
            let text = Text(service: String(repeating: "x", count: 3_000_000))
            let status = try await status { try await channel.unary(small, text, options: .init(), as: Text.self) }
            #expect(status?.code == .resourceExhausted)
            #expect(status?.reason == "MESSAGE_TOO_LARGE")
            let after: Text = try await channel.unary(.echo, Text(service: "next"), options: .init())
            #expect(after.service == "next")
        }
    }

    @Test("metadata goes to the server, text and bytes, and repeated names keep their order")
    func carriesMetadata() async throws {
        let seen = Shared<Metadata>([:])
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.metadata }
            return request
        }
        try await withServer([handler]) { channel, _ in
            var metadata: Metadata = ["Authorization": "Bearer abc", "x-many": "1", "x-empty": ""]
            metadata.add("x-many", "2")
            metadata.addBinary("key-bin", [0, 255, 10, 13, 128])
            let _: Text = try await channel.unary(.echo, Text(), options: .init(metadata: metadata))
        }
        #expect(seen.value[first: "authorization"] == "Bearer abc")
        #expect(seen.value[first: "x-empty"]?.isEmpty == true)
        #expect(seen.value.values("x-many") == ["1", "2"])
        #expect(seen.value[firstBinary: "key-bin"] == [0, 255, 10, 13, 128])
        #expect(seen.value.pairs.count == 5)
    }

    @Test("the peer is who connected")
    func knowsThePeer() async throws {
        let seen = Shared<Peer?>(nil)
        let handler = MethodHandler.unary(.echo) { (request: Text, call) in
            seen.update { $0 = call.peer }
            return request
        }
        try await withServer([handler]) { channel, _ in
            let _: Text = try await channel.unary(.echo, Text(), options: .init())
        }
        #expect(seen.value == Peer(uid: getuid(), gid: getgid(), pid: getpid()))
    }

    @Test("a peer that is not accepted gets no connection, and the caller an UNAVAILABLE that names the neighbour")
    func refusesPeers() async throws {
        try await withServer([.echo], configure: { $0.acceptPeer = { _ in false } }) { channel, _ in
            let status = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(
                status == RPCError(.unavailable, "neighbour is not reachable", reason: "NEIGHBOUR_UNAVAILABLE"))
        }
    }

    @Test("a handler may call another server and comes back to its own loop")
    func callsOnward() async throws {
        try await withServer([.echo]) { inner, _ in
            let outer = MethodHandler.unary(.test("Outer")) { (request: Text, call) in
                let options = CallOptions.onward(from: call)
                let response: Text = try await inner.unary(.echo, request, options: options)
                return Text(service: response.service + "!")
            }
            try await withServer([outer]) { channel, _ in
                for _ in 0..<20 {
                    let response: Text = try await channel.unary(
                        .test("Outer"), Text(service: "hi"), options: .init())
                    #expect(response.service == "hi!")
                }
            }
        }
    }

    @Test("raw handlers and raw calls carry the bytes as they are")
    func forwardsBytes() async throws {
        let raw = MethodHandler.rawUnary(.echo) { bytes, _ in bytes }
        try await withServer([raw]) { channel, _ in
            let response = try await channel.rawUnary(.echo, .init(bytes: [1, 2, 3]), options: .init())
            #expect(Array(response.readableBytesView) == [1, 2, 3])
        }
    }
}
