import Foundation
import GatewayCore
import Privacy
import Testing

@Suite("what goes over the wire")
struct EncodingTests {
    private func event(_ id: String?, _ name: String, _ data: String) -> String {
        String(decoding: ServerSentEvent.encoded(id: id, name: name, data: Array(data.utf8)), as: UTF8.self)
    }

    @Test("an event has its id, its name, its data and an empty line")
    func events() {
        #expect(event("7", "question", "{}") == "id: 7\nevent: question\ndata: {}\n\n")
        #expect(event(nil, "gone", "{}") == "event: gone\ndata: {}\n\n")
        #expect(event("e-1", "x", "") == "id: e-1\nevent: x\ndata: \n\n")
    }

    @Test(
        "line breaks of every kind stay within the data",
        arguments: [
            ("a\nb", "a\ndata: b"), ("a\r\nb", "a\ndata: b"), ("a\rb", "a\ndata: b"), ("a\n\nb", "a\ndata: \ndata: b"),
            ("a\r", "a\ndata: "), ("\n", "\ndata: "),
        ])
    func lineBreaks(data: String, expected: String) {
        #expect(event("1", "x", data) == "id: 1\nevent: x\ndata: \(expected)\n\n")
    }

    @Test("retry is in milliseconds, and a heartbeat is a comment")
    func others() {
        #expect(String(decoding: ServerSentEvent.retry(.milliseconds(2_500)), as: UTF8.self) == "retry: 2500\n\n")
        #expect(ServerSentEvent.heartbeat.first == UInt8(ascii: ":"))
    }

    @Test("a browser resumes after Last-Event-ID, else after what the address says, else at the beginning")
    func resumePoints() {
        let (seven, three) = ("0123456789abcdef-7", "0123456789abcdef-3")
        func point(_ text: String) -> ServerSentEvent.ResumePoint? { FeedPosition(text).map { .after($0) } }
        #expect(ServerSentEvent.resumePoint(lastEventID: nil, after: nil) == .beginning)
        #expect(ServerSentEvent.resumePoint(lastEventID: seven, after: three) == point(seven))
        #expect(ServerSentEvent.resumePoint(lastEventID: "", after: three) == point(three))
        #expect(ServerSentEvent.resumePoint(lastEventID: nil, after: "") == .beginning)
        for text in ["7", "-1", "x", " \(seven)", "\(seven) ", "\(seven)٣", String(repeating: "0", count: 10_000)] {
            // A browser can't send a better one; whoever writes an address can.
            #expect(ServerSentEvent.resumePoint(lastEventID: text, after: three) == .after(.unknown), "\(text)")
            #expect(ServerSentEvent.resumePoint(lastEventID: nil, after: text) == nil, "\(text)")
        }
    }

    @Test(
        "every gRPC status has its name and its HTTP status",
        arguments: [
            (0, "OK", 200), (1, "CANCELLED", 499), (2, "UNKNOWN", 500), (3, "INVALID_ARGUMENT", 400),
            (4, "DEADLINE_EXCEEDED", 504), (5, "NOT_FOUND", 404), (6, "ALREADY_EXISTS", 409),
            (7, "PERMISSION_DENIED", 403), (8, "RESOURCE_EXHAUSTED", 429), (9, "FAILED_PRECONDITION", 400),
            (10, "ABORTED", 409), (11, "OUT_OF_RANGE", 400), (12, "UNIMPLEMENTED", 501), (13, "INTERNAL", 500),
            (14, "UNAVAILABLE", 503), (15, "DATA_LOSS", 500), (16, "UNAUTHENTICATED", 401), (17, "UNKNOWN", 500),
            (-1, "UNKNOWN", 500),
        ])
    func statuses(code: Int, name: String, http: Int) {
        #expect(StatusMapping.name(ofCode: code) == name)
        #expect(StatusMapping.httpStatus(ofCode: code) == http)
    }

    @Test("an error is JSON whatever its texts hold, and never HTML")
    func errors() throws {
        let hostile = "\"\\\n\r\t\u{0}\u{1f}\u{7f}</script>\u{2028}å😀"
        let body = ErrorBody(
            code: "NOT_FOUND", message: hostile, reason: "X", fields: [.init(field: hostile, reason: hostile)])
        #expect(!body.json.contains("<"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(body.json.utf8)) as? [String: Any])
        let error = try #require(object["error"] as? [String: Any])
        #expect(error["code"] as? String == "NOT_FOUND")
        #expect(error["message"] as? String == hostile)
        let field = try #require((error["fields"] as? [[String: String]])?.first)
        #expect(field == ["field": hostile, "reason": hostile])
        #expect(
            ErrorBody(code: "A", message: "b").json
                == #"{"error":{"code":"A","message":"b","reason":"","fields":[]}}"#)
    }

    @Test("the policy allows nothing inline and nothing from elsewhere")
    func policy() {
        let policy = ResponseHeaders.contentSecurityPolicy
        #expect(policy.hasPrefix("default-src 'none'"))
        for part in ["script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            #expect(policy.contains(part))
        }
        for part in ["unsafe", "http", "*", "data:", "blob:"] { #expect(!policy.contains(part)) }
        #expect(!ResponseHeaders.security(isSecure: false).contains { $0.name == "strict-transport-security" })
        #expect(ResponseHeaders.security(isSecure: true).contains { $0.name == "strict-transport-security" })
    }

    @Test("waits double up to the longest, each shortened by half at most, and begin anew after a success")
    func backoff() {
        var backoff = Backoff(first: .milliseconds(100), longest: .milliseconds(300))
        #expect(backoff.wait(random: 0) == .milliseconds(100))
        #expect(backoff.wait(random: 1) == .milliseconds(100))
        #expect(backoff.wait(random: 0) == .milliseconds(300))
        #expect(backoff.wait(random: 7) == .milliseconds(150))
        #expect(backoff.wait(random: -7) == .milliseconds(300))
        backoff.reset()
        #expect(backoff.wait(random: 0) == .milliseconds(100))
    }
}
