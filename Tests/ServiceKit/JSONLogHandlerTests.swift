import Contracts
import Foundation
import Logging
import RPC
import Testing

@testable import ServiceKit

@Suite("The log")
struct JSONLogHandlerTests {
    private func object(_ line: String?) throws -> [String: Any] {
        let line = try #require(line)
        #expect(line.hasSuffix("\n"))
        #expect(line.dropLast().allSatisfy { !$0.isNewline })
        return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test("an entry is one line of JSON with time, level, service and message")
    func shape() throws {
        let log = LogCollector()
        log.logger().info("ready", metadata: ["duration_us": "\(12)", "count": .stringConvertible(3)])
        let entry = try object(log.lines.first)
        #expect(entry["level"] as? String == "info")
        #expect(entry["service"] as? String == "test")
        #expect(entry["message"] as? String == "ready")
        #expect(entry["duration_us"] as? String == "12")
        #expect(entry["count"] as? Int == 3)
        let time = try #require(entry["time"] as? String)
        #expect(try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(time).timeIntervalSinceNow > -60)
    }

    @Test("metadata that nobody allowed is dropped, and that it was is counted")
    func redaction() throws {
        let log = LogCollector()
        var logger = log.logger()
        logger[metadataKey: "email"] = "anna@example.se"
        logger.warning(
            "refused",
            metadata: [
                "code": "NOT_FOUND", "text": "what Anna asked", "reason": .dictionary(["name": "Anna"]),
                "method": .array(["Anna"]),
            ])
        let line = try #require(log.lines.first)
        #expect(!line.lowercased().contains("anna"))
        let entry = try object(line)
        #expect(entry["code"] as? String == "NOT_FOUND")
        #expect(entry["dropped"] as? Int == 4)
    }

    @Test("an error is logged by its type, never by what it says")
    func errors() throws {
        struct Refusal: Error { var email = "anna@example.se" }
        let log = LogCollector()
        log.logger().error("failed", error: Refusal())
        let line = try #require(log.lines.first)
        #expect(line.contains("Refusal"))
        #expect(!line.contains("anna"))
    }

    @Test("a value can neither break the line nor fill the log")
    func hostile() throws {
        let log = LogCollector()
        let hostile = "\"}\n{\"level\":\"critical\"\u{2028}\u{0}\\" + String(repeating: "å", count: 100_000)
        log.logger().info("\(hostile)", metadata: ["reason": "\(hostile)"])
        #expect(log.lines.count == 1)
        let entry = try object(log.lines.first)
        #expect((entry["reason"] as? String)?.hasPrefix("\"}\n{\"level\":\"critical\"\u{2028}\u{0}\\å") == true)
        #expect((log.lines.first?.utf8.count ?? 0) < 4096)
    }

    @Test("entries below the level are not written")
    func levels() {
        let log = LogCollector()
        log.logger(.warning).info("quiet")
        #expect(log.lines.isEmpty)
    }

    @Test("a known moment is written in UTC")
    func time() {
        #expect(LogTime.text(seconds: 951_782_400, milliseconds: 7) == "2000-02-29T00:00:00.007Z")
    }

    @Test("a refused call is logged with method, status, role and duration")
    func refusedCall() async throws {
        let log = LogCollector()
        let chain = InterceptorChain.standard(
            service: "test", authenticators: [], peers: PeerRoles([testUID: [.backend]]), logger: log.logger())
        let call = call(
            "/samtal.retention.v1.RetentionService/GetSessionKey",
            metadata: [
                "authorization": "Bearer abc",
                "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ])
        for interceptor in chain.dropLast() { try await interceptor.begin(call) }
        let refusal = await #expect(throws: RPCError.self) { try await chain.last?.begin(call) }
        for interceptor in chain.dropLast().reversed() { interceptor.end(call, outcome: refusal) }
        let entry = try object(log.lines.first)
        #expect(entry["method"] as? String == "/samtal.retention.v1.RetentionService/GetSessionKey")
        #expect(entry["code"] as? String == "PERMISSION_DENIED")
        #expect(entry["reason"] as? String == "ROLE_NOT_ALLOWED")
        #expect(entry["peer_role"] as? String == "backend")
        #expect(entry["duration_us"] is Int)
        #expect((entry["call_id"] as? String)?.hasPrefix("test-") == true)
        #expect(entry["trace_id"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(log.lines.first?.contains("abc") == false)
        #expect(entry["dropped"] == nil)
    }

    @Test("the rule that a peer broke is in the line that the runtime writes of it")
    func brokenRule() throws {
        let log = LogCollector()
        log.logger().info("request reset for a protocol error", metadata: ["rule": "names", "code": "1"])
        let entry = try object(log.lines.first)
        #expect(entry["rule"] as? String == "names")
        #expect(entry["dropped"] == nil)
    }

    @Test("a unary call that went well is a line at debug alone", arguments: [Logger.Level.info, .debug])
    func successfulCall(level: Logger.Level) async throws {
        let log = LogCollector()
        let interceptor = AccessLogInterceptor(
            service: "test", peers: PeerRoles([testUID: [.gateway]]), logger: log.logger(level))
        for path in ["/grpc.health.v1.Health/Check", "/samtal.chat.v1.ChatService/GetSession"] {
            let call = call(path)
            try await interceptor.begin(call)
            interceptor.end(call, outcome: nil)
        }
        #expect(log.lines.count == (level == .debug ? 2 : 0))
    }

    @Test("what the service is to blame for is louder than what the caller is")
    func callLevels() {
        func level(_ code: RPCError.Code) -> Logger.Level {
            AccessLogInterceptor.level(RPCError(code, ""), kind: .unary)
        }
        #expect([.internal, .unavailable, .notFound, .cancelled].map(level) == [.error, .warning, .info, .info])
        #expect(AccessLogInterceptor.level(nil, kind: .serverStreaming) == .info)
        // Anybody could fill the disk with what the public gets wrong.
        let codes: [RPCError.Code] = [.notFound, .unauthenticated, .invalidArgument, .resourceExhausted, .internal]
        #expect(
            codes.map { AccessLogInterceptor.level(RPCError($0, ""), kind: .unary, isOfPublic: true) }
                == [.debug, .debug, .debug, .debug, .error])
        let malformed = RPCError(.internal, "", reason: RPCError.malformedRequest)
        #expect(AccessLogInterceptor.level(malformed, kind: .unary) == .info)
    }
}
