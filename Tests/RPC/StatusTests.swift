import ProtobufC
import Testing

@testable import RPC

@Suite("Statuses on their way")
struct StatusTests {
    /// What a peer makes of the trailers.
    private func received(_ error: RPCError) throws -> RPCError {
        let trailers = error.trailers
        let code = try #require(trailers[first: "grpc-status"].flatMap { Int($0) })
        let message = trailers.first("grpc-message") { PercentEncoding.decode($0) } ?? ""
        return RPCError(status: code, message: message, details: trailers[firstBinary: "grpc-status-details-bin"])
    }

    @Test(
        "every part of a status arrives",
        arguments: [
            RPCError(.notFound, "gone"), RPCError(.aborted, "", reason: "LOST"),
            RPCError(.unavailable, "later", domain: "chat.example"),
            RPCError(.unavailable, "later", retryAfter: .milliseconds(1500)),
            RPCError(.unavailable, "later", retryAfter: .nanoseconds(1)),
            RPCError(.unavailable, "later", retryAfter: .zero),
            RPCError(
                .resourceExhausted, "all of it: å %", reason: "TOO_MANY", fields: [.init(field: "a", reason: "b")],
                domain: "example", metadata: ["bound": "exports", "å": ""], retryAfter: .seconds(30)),
        ])
    func arrives(error: RPCError) throws {
        expectEqual(try received(error), error)
    }

    @Test("a NUL, which no text of the details can have, is left out of them and costs nothing else")
    func leavesNULOut() throws {
        let error = RPCError(
            .aborted, "a\0b", reason: "L\0OST", fields: [.init(field: "a\0", reason: "\0b")], domain: "\0example")
        let expected = RPCError(
            .aborted, "a\0b", reason: "LOST", fields: [.init(field: "a", reason: "b")], domain: "example")
        expectEqual(try received(error), expected)
    }

    @Test("a status has 6 KiB: the fields go first, then what else is more than code and message, then its end")
    func isBounded() throws {
        let fields = (0..<5000).map { RPCError.FieldViolation(field: "questions[\($0)]", reason: "is empty") }
        let error = RPCError(.invalidArgument, "much", reason: "MUCH", fields: fields, retryAfter: .seconds(1))
        let withoutFields = RPCError(.invalidArgument, "much", reason: "MUCH", retryAfter: .seconds(1))
        expectEqual(try received(error), withoutFields)
        let long = String(repeating: "x", count: 4000)
        expectEqual(try received(RPCError(.aborted, long, reason: "LONG")), RPCError(.aborted, long))
        for text in ["x", "å", "👩‍👩‍👧", " "] {
            let tooLong = RPCError(.aborted, String(repeating: text, count: 100_000), reason: "LONG")
            let message = try received(tooLong).message
            #expect(tooLong.trailers.storage.count < 6 * 1024 + 64)
            #expect(!message.isEmpty && tooLong.message.hasPrefix(message))
            #expect(message.utf8.count % text.utf8.count == 0)
        }
    }

    @Test("a plain status has no details")
    func staysPlain() {
        let trailers = RPCError(.notFound, "gone").trailers
        #expect(trailers.pairs.map(\.name) == ["grpc-status", "grpc-message"])
    }

    @Test(
        "when to try again is said in milliseconds as well, rounded up and within bounds",
        arguments: [
            (Duration.seconds(2), "2000"), (.microseconds(1), "1"), (.zero, "0"), (.seconds(-5), "0"),
            (.seconds(1_000_000_000), "2147483647"),
        ])
    func saysPushback(duration: Duration, text: String) throws {
        let error = RPCError(.unavailable, "later", retryAfter: duration)
        #expect(error.trailers[first: "grpc-retry-pushback-ms"] == text)
        expectEqual(try received(error).retryAfter, max(duration, .zero))
    }

    @Test(
        "a time that can't be one is left out",
        arguments: [
            GoogleProtobuf.Duration(seconds: -1), .init(seconds: 1, nanos: -1), .init(nanos: 1_000_000_000),
            .init(seconds: .max),
        ])
    func leavesImpossibleTimesOut(duration: GoogleProtobuf.Duration) {
        let packed = GoogleProtobuf.`Any`(
            typeURL: "type.googleapis.com/google.rpc.RetryInfo",
            value: GoogleRPC.RetryInfo(retryDelay: duration).serialized())
        let details = GoogleRPC.Status(code: 14, details: [packed]).serialized()
        #expect(RPCError(status: 14, message: "", details: details) == RPCError(.unavailable, ""))
    }

    @Test("a handler's status goes all the way")
    func goesAllTheWay() async throws {
        let thrown = RPCError(
            .unavailable, "full", reason: "FULL", domain: "example", retryAfter: .milliseconds(250))
        let handler = MethodHandler.unary(.echo) { (_: Text, _) -> Text in throw thrown }
        try await withServer([handler]) { channel, _ in
            let status = try await status { try await channel.unary(.echo, Text(), options: .init(), as: Text.self) }
            #expect(status == thrown)
        }
    }
}
