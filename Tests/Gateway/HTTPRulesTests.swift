import GatewayServer
import RPC
import Testing

/// What `Services/Gateway/HTTP.md` lists, each item with the bytes of a client that nobody wrote for this server.
@Suite("HTTP/1.1, item by item")
struct HTTPRulesTests {
    /// Bytes, and the statuses that come back for them, in order.
    struct Item: CustomTestStringConvertible, Sendable {
        var name: String
        var bytes: String
        var statuses: [Int]
        var reason: String?
        var closes: Bool?

        init(_ name: String, _ bytes: String, _ statuses: Int..., reason: String? = nil, closes: Bool? = nil) {
            (self.name, self.bytes, self.statuses, self.reason, self.closes) = (name, bytes, statuses, reason, closes)
        }

        var testDescription: String { name }
    }

    private static let host = "Host: samtal.example.se\r\n"
    private static let json = "Content-Type: application/json\r\n"
    private static let join = "POST /v1/sessions/s1:join HTTP/1.1\r\n\(host)\(json)"
    private static let get = "GET /v1/sessions/s1 HTTP/1.1\r\n\(host)"

    /// RFC 9112, sections 2 to 5.
    static let headItems: [Item] = [
        Item("an empty line before the request is ignored", "\r\n\(get)\r\n", 200, closes: false),
        Item("lines that end in LF alone", "GET / HTTP/1.1\nHost: a\n\n", 400, closes: true),
        Item("CR alone ends no line", "GET / HTTP/1.1\rHost: a\r\r", 400, closes: true),
        Item("CR in a field's value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400, closes: true),
        Item("NUL in a field's value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400, closes: true),
        Item("space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, closes: true),
        Item("space before a colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, closes: true),
        Item("a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, closes: true),
        Item("a field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, closes: true),
        Item("a field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400, closes: true),
        Item("a name that is no token", "GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n", 400, closes: true),
        Item("no Host", "GET / HTTP/1.1\r\n\r\n", 400, reason: "HOST_MISSING", closes: true),
        Item("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, reason: "HOST_REPEATED", closes: true),
        Item("the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, reason: "HOST_REPEATED"),
        Item("an empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400, reason: "HOST_MALFORMED", closes: true),
        Item("a malformed Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, reason: "HOST_MALFORMED", closes: true),
        Item("a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, reason: "HOST_MALFORMED"),
        Item("a Host with a port", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", 200, closes: false),
        Item("a target in absolute form", "GET http://b.example.se/v1/sessions/s1 HTTP/1.1\r\n\(host)\r\n", 200),
        Item("one of them without a path", "GET http://b.example.se HTTP/1.1\r\n\(host)\r\n", 200),
        Item("one of them without Host", "GET http://b/ HTTP/1.1\r\n\r\n", 400, reason: "HOST_MISSING"),
        Item("one of them without a host in it", "GET http:///x HTTP/1.1\r\n\(host)\r\n", 400),
        Item("another scheme", "GET ftp://a/ HTTP/1.1\r\n\(host)\r\n", 400, closes: true),
        Item("a fragment in the target", "GET /#a HTTP/1.1\r\n\(host)\r\n", 400, closes: true),
        Item("a broken escape", "GET /v1/sessions/%4 HTTP/1.1\r\n\(host)\r\n", 400, reason: "TARGET_MALFORMED"),
        Item("a broken escape in a query", "GET /?a=%zz HTTP/1.1\r\n\(host)\r\n", 400, reason: "TARGET_MALFORMED"),
        Item("escaped bytes that are no text", "GET /s/%ff HTTP/1.1\r\n\(host)\r\n", 400, reason: "TARGET_MALFORMED"),
        Item("an escaped NUL", "GET /s/%00 HTTP/1.1\r\n\(host)\r\n", 400, reason: "TARGET_MALFORMED"),
        Item(
            "a long target within the bound", "GET /?\(String(repeating: "a", count: 8_000)) HTTP/1.1\r\n\(host)\r\n",
            200),
        Item(
            "a target over the bound", "GET /?\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\n\(host)\r\n", 414,
            reason: "TARGET_TOO_LONG", closes: true),
        Item(
            "a target without end", "GET /?\(String(repeating: "a", count: 40_000))", 414, reason: "TARGET_TOO_LONG",
            closes: true),
        Item(
            "a header over the bound", "\(get)X: \(String(repeating: "a", count: 40_000))\r\n\r\n", 431,
            reason: "HEADERS_TOO_LARGE", closes: true),
        Item(
            "many headers over the bound", "\(get)\(String(repeating: "X: a\r\n", count: 100))\r\n", 431,
            reason: "HEADERS_TOO_LARGE", closes: true),
        Item("HTTP/2.0", "GET / HTTP/2.0\r\n\(host)\r\n", 505, reason: "HTTP_VERSION_NOT_SUPPORTED", closes: true),
        Item("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, closes: true),
        Item("a version that is none", "GET / HTTP/x\r\n\(host)\r\n", 505, closes: true),
        Item("no version", "GET /\r\n\r\n", 505, closes: true),
        Item("another protocol", "GET / RTSP/1.0\r\n\(host)\r\n", 400, closes: true),
        Item("no HTTP at all", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}", 400, reason: "MALFORMED_HTTP", closes: true),
    ]

    /// RFC 9110, sections 9, 10.1.1, 12 to 14.
    static let meaningItems: [Item] = [
        Item("GET", "\(get)\r\n", 200, closes: false),
        Item("an unknown method", "FOO / HTTP/1.1\r\n\(host)\r\n", 501, reason: "METHOD_NOT_IMPLEMENTED", closes: true),
        Item("a method that the parser knows", "PROPFIND / HTTP/1.1\r\n\(host)\r\n", 501, closes: true),
        Item("a method in small letters", "get / HTTP/1.1\r\n\(host)\r\n", 501, closes: true),
        Item("TRACE, which repeats what it got", "TRACE / HTTP/1.1\r\n\(host)\r\n", 501, closes: true),
        Item("CONNECT, which is for proxies", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501, closes: true),
        Item("* for something else than OPTIONS", "GET * HTTP/1.1\r\n\(host)\r\n", 400, reason: "TARGET_MALFORMED"),
        Item(
            "an expectation that nobody knows", "\(join)Expect: tea\r\nContent-Length: 2\r\n\r\n{}", 417, closes: true),
        Item(
            "100-continue in HTTP/1.0",
            "POST /v1/sessions/s1:join HTTP/1.0\r\n\(json)Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", 200),
        Item("an upgrade is not taken up", "\(get)Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200, closes: true),
        Item("a range is not taken up", "GET / HTTP/1.1\r\n\(host)Range: bytes=0-1\r\n\r\n", 200),
        Item(
            "If-Modified-Since without a date of change",
            "GET / HTTP/1.1\r\n\(host)If-Modified-Since: Fri, 27 Nov 2026 10:00:00 GMT\r\n\r\n", 200),
        Item("If-None-Match with *", "GET / HTTP/1.1\r\n\(host)If-None-Match: *\r\n\r\n", 304),
        Item("If-Match with another tag", "GET / HTTP/1.1\r\n\(host)If-Match: \"x\"\r\n\r\n", 412, closes: false),
        Item("If-Match with *", "GET / HTTP/1.1\r\n\(host)If-Match: *\r\n\r\n", 200),
        Item("If-Match where nothing has a tag", "\(get)If-Match: \"x\"\r\n\r\n", 412, reason: "PRECONDITION_FAILED"),
        Item("an Accept that can't be met is disregarded", "\(get)Accept: image/png\r\n\r\n", 200),
        Item("a body that is encoded", "\(join)Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415),
    ]

    /// RFC 9112, sections 6 to 9.
    static let bodyItems: [Item] = [
        Item("a body with its length", "\(join)Content-Length: 2\r\n\r\n{}", 200, closes: false),
        Item(
            "a body in chunks", "\(join)Transfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n",
            200, closes: false),
        Item("both", "\(join)Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, closes: true),
        Item("two lengths", "\(join)Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, closes: true),
        Item("a length that is no number", "\(join)Content-Length: +2\r\n\r\n{}", 400, closes: true),
        Item(
            "a length beyond every number", "\(join)Content-Length: 99999999999999999999\r\n\r\n{}", 400, closes: true),
        Item("a length below none", "\(join)Content-Length: -1\r\n\r\n{}", 400, closes: true),
        Item(
            "a chunk's size that is no number", "\(join)Transfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n", 400,
            closes: true),
        Item(
            "a chunk's size beyond every number", "\(join)Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400,
            closes: true),
        Item(
            "a chunk without its end", "\(join)Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n", 400,
            closes: true),
        Item("chunks not last", "\(join)Transfer-Encoding: chunked, gzip\r\n\r\n", 400, closes: true),
        Item("another transfer coding", "\(join)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, closes: true),
        Item(
            "chunks in HTTP/1.0",
            "POST /v1/sessions/s1:join HTTP/1.0\r\n\(json)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
            closes: true),
        Item("a body for GET", "\(get)Content-Length: 2\r\n\r\n{}", 400, closes: false),
        Item(
            "a body over the bound, before it is sent", "\(join)Content-Length: 99999999\r\n\r\n", 413,
            reason: "BODY_TOO_LARGE", closes: true),
        Item(
            "requests in a row", "\(get)\r\n\(join)Content-Length: 2\r\n\r\n{}GET /none HTTP/1.1\r\n\(host)\r\n", 200,
            200, 404, closes: false),
        Item("a broken one in a row", "\(get)\r\n\(get)\r\nGARBAGE\r\n\r\n\(get)\r\n", 200, 200, 400, closes: true),
        Item("one without Host in a row", "\(get)\r\nGET / HTTP/1.1\r\n\r\n\(get)\r\n", 200, 400, closes: true),
        Item("the last of a row", "\(get)Connection: x, Close\r\n\r\n\(get)\r\n", 200, closes: true),
        Item("HTTP/1.0 ends with its answer", "GET / HTTP/1.0\r\n\r\n", 200, closes: true),
        Item(
            "HTTP/1.0 goes on when asked",
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 200,
            200, closes: false),
    ]

    @Test("what a request's head has to be", arguments: HTTPRulesTests.headItems)
    func heads(item: Item) async throws { try await check(item) }

    @Test("what methods, expectations and conditions mean", arguments: HTTPRulesTests.meaningItems)
    func meanings(item: Item) async throws { try await check(item) }

    @Test("where requests and connections end", arguments: HTTPRulesTests.bodyItems)
    func bodies(item: Item) async throws { try await check(item) }

    /// Sends the item's bytes at once, and on another connection in two halves; both get the same answers, each with a
    /// date, and the next client is served.
    private func check(_ item: Item) async throws {
        try await TestGateway.run { gateway in
            let whole = try await HTTPConnection(port: gateway.port, group: gateway.group)
            let halves = try await HTTPConnection(port: gateway.port, group: gateway.group)
            let half = item.bytes.unicodeScalars.count / 2
            try await halves.send(String(String.UnicodeScalarView(item.bytes.unicodeScalars.prefix(half))))
            try await whole.send(item.bytes)
            try await eventually("\(item.statuses)") { whole.statuses.count >= item.statuses.count }
            let expectsClose = item.closes ?? false
            if expectsClose { try await eventually("the connection ends") { whole.isClosed } }
            #expect(whole.statuses == item.statuses, "\(whole.everything.prefix(2_000))")
            if let reason = item.reason { #expect(whole.everything.contains("\"reason\":\"\(reason)\"")) }
            if item.closes == false { #expect(!whole.isClosed) }
            if expectsClose { #expect(whole.everything.lowercased().contains("connection: close")) }
            #expect(
                whole.everything.matches(of: #/(?i)\r\ndate: [A-Z][a-z]{2}, [0-9]{2} /#).count == item.statuses.count)
            // Refused already, perhaps.
            try? await halves.send(String(String.UnicodeScalarView(item.bytes.unicodeScalars.dropFirst(half))))
            try await eventually("\(item.statuses) in halves") { halves.statuses.count >= item.statuses.count }
            #expect(halves.statuses == item.statuses, "\(halves.everything.prefix(2_000))")
            #expect(try await gateway.request("GET", "/v1/sessions/s1").status == 200)
            whole.close()
            halves.close()
        }
    }
}
