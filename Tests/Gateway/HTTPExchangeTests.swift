import Foundation
import GatewayCore
import GatewayServer
import RPC
import Synchronization
import Testing

@Suite("HTTP/1.1, where one request is not enough")
struct HTTPExchangeTests {
    private static let host = "Host: samtal.example.se\r\n"
    private static let join = "POST /v1/sessions/s1:join HTTP/1.1\r\n\(host)Content-Type: application/json\r\n"

    private func connect(_ gateway: TestGateway, _ text: String) async throws -> HTTPConnection {
        let connection = try await HTTPConnection(port: gateway.port, group: gateway.group)
        try await connection.send(text)
        return connection
    }

    @Test("a client that waits for 100 Continue gets it, sends its body, and is answered")
    func continues() async throws {
        try await TestGateway.run { gateway in
            let client = try await connect(gateway, Self.join + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            try await eventually("the interim answer comes") { client.statuses == [100] }
            #expect(client.everything == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("{}")
            try await eventually("the answer comes") { client.statuses == [100, 200] }
            try await client.send("GET /v1/sessions/s1 HTTP/1.1\r\n\(Self.host)\r\n")
            try await eventually("the connection goes on") { client.statuses == [100, 200, 200] }
            client.close()
        }
    }

    @Test("a client whose body isn't wanted is told so instead of 100 Continue")
    func doesNotContinue() async throws {
        try await TestGateway.run { gateway in
            let expecting = "\(Self.host)Expect: 100-continue\r\n"
            let requests: [(String, Int)] = [
                ("\(Self.join)Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413),
                ("POST /v1/nothing HTTP/1.1\r\n\(expecting)Content-Length: 2\r\n\r\n", 404),
                ("POST /v1/sessions/s1:join HTTP/1.1\r\n\(expecting)Content-Length: 2\r\n\r\n", 415),
            ]
            for (request, status) in requests {
                let client = try await connect(gateway, request)
                try await eventually("the connection ends") { client.isClosed }
                #expect(client.statuses == [status])
            }
        }
    }

    @Test("no interim answer is given to a client that sends its body without waiting")
    func sendsAtOnce() async throws {
        try await TestGateway.run { gateway in
            let client = try await connect(gateway, Self.join + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
            try await eventually("the answer comes") { client.statuses.last == 200 }
            #expect(client.statuses == [200])
            client.close()
        }
    }

    @Test("an answer reaches a client that is still sending what nobody reads")
    func lingers() async throws {
        try await TestGateway.run { gateway in
            let client = try await connect(gateway, Self.join + "Content-Length: 50000000\r\n\r\n")
            for _ in 0..<40 {
                do { try await client.send(String(repeating: "x", count: 50_000)) } catch { break }
            }
            try await eventually("the connection ends") { client.isClosed }
            #expect(client.statuses == [413] && client.answer?.reason == "BODY_TOO_LARGE")
        }
    }

    @Test("HEAD is answered as GET is, without the body")
    func head() async throws {
        try await TestGateway.run { gateway in
            for path in [
                "/", "/admin", "/healthz", "/v1/sessions/s1", "/v1/sessions/s1/questions?page_size=3", "/none",
            ] {
                let get = try await gateway.request("GET", path)
                let client = try await connect(
                    gateway, "HEAD \(path) HTTP/1.1\r\n\(Self.host)\r\nHEAD \(path) HTTP/1.1\r\n\(Self.host)\r\n")
                try await eventually("both are answered") { client.statuses.count == 2 }
                #expect(client.statuses == [get.status, get.status], "\(path)")
                let head = try #require(client.answer)
                #expect(head.headers["content-length"] == get.headers["content-length"], "\(path)")
                #expect(head.headers["content-type"] == get.headers["content-type"], "\(path)")
                #expect(client.everything.hasSuffix("\r\n\r\n"), "\(path)")
                client.close()
            }
            let feed = try await connect(gateway, "HEAD /v1/sessions/s1/events HTTP/1.1\r\n\(Self.host)\r\n")
            try await eventually("it is answered") { feed.answer != nil }
            #expect(feed.answer?.status == 405 && feed.answer?.headers["allow"] == "GET, OPTIONS")
            feed.close()
        }
    }

    @Test("OPTIONS says what may be done, a 405 too, and neither lets other sites in")
    func options() async throws {
        try await TestGateway.run { gateway in
            for (target, allowed) in [
                ("/admin", "GET, HEAD, OPTIONS"), ("/healthz", "GET, HEAD, OPTIONS"),
                ("/v1/sessions/s1/questions", "GET, HEAD, OPTIONS, POST"), ("/v1/sessions/s1:join", "OPTIONS, POST"),
                ("*", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
            ] {
                let client = try await connect(
                    gateway,
                    "OPTIONS \(target) HTTP/1.1\r\n\(Self.host)Origin: https://elsewhere.example.se\r\n"
                        + "Access-Control-Request-Method: POST\r\n\r\n")
                try await eventually("it is answered") { client.answer != nil }
                let answer = try #require(client.answer)
                #expect(answer.status == 204 && answer.headers["allow"] == allowed, "\(target)")
                #expect(answer.headers["content-length"] == nil && answer.headers["transfer-encoding"] == nil)
                #expect(!answer.headers.keys.contains { $0.hasPrefix("access-control") })
                client.close()
            }
            #expect(try await gateway.request("OPTIONS", "/none").status == 404)
            let refused = try await gateway.request("PUT", "/admin")
            #expect(refused.status == 405 && refused.headers["allow"] == "GET, HEAD, OPTIONS")
        }
    }

    @Test("a page is not sent again to whoever names its tag, in a list, weakly, or in several fields")
    func conditions() async throws {
        try await TestGateway.run { gateway in
            let tag = try #require(try await gateway.request("GET", "/admin").headers["etag"])
            for headers in [
                [("If-None-Match", "\"other\", W/\(tag)")], [("If-None-Match", "\"a\""), ("If-None-Match", tag)],
            ] {
                let answer = try await gateway.request("GET", "/admin", headers: headers)
                #expect(answer.status == 304 && answer.body.isEmpty && answer.headers["etag"] == tag)
                #expect(answer.headers["content-length"] == nil && answer.headers["cache-control"] == "no-cache")
            }
            let inside = try await gateway.request(
                "GET", "/admin", headers: [("If-None-Match", "\"x\(tag.dropFirst().dropLast())\"")])
            #expect(inside.status == 200)
            #expect(try await gateway.request("GET", "/admin", headers: [("If-Match", tag)]).status == 200)
            #expect(try await gateway.request("GET", "/admin", headers: [("If-Match", "W/\(tag)")]).status == 412)
        }
    }

    @Test("a feed for HTTP/1.0 has no chunks, and its end is the connection's")
    func feedInHTTP10() async throws {
        try await TestGateway.run { gateway in
            let client = try await connect(gateway, "GET /v1/sessions/s1/events HTTP/1.0\r\n\r\n")
            try await eventually("events come") { client.everything.contains("event: ") }
            #expect(client.everything.hasPrefix("HTTP/1.0 200 "))
            #expect(!client.everything.lowercased().contains("transfer-encoding"))
            #expect(client.everything.contains("\r\n\r\nretry: "))
            client.close()
        }
    }

    @Test(
        "an answer that is read slowly comes whole, though the connection ends with it",
        arguments: [
            "GET /v1/sessions/s1/export HTTP/1.0\r\n\r\n",
            "GET /v1/sessions/s1/export HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
        ])
    func slowReader(request: String) async throws {
        let configure: (inout GatewayConfiguration) -> Void = { $0.lingerTimeout = .milliseconds(100) }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.others.state.withLock { state in
                state.chunks = 128
                state.chunkBytes = 64 * 1024
            }
            let client = try await HTTPConnection(port: gateway.port, group: gateway.group)
            try await client.send(request)
            // Much is on its way when the gateway has nothing more to say, and takes longer to read than it lingers.
            try await eventually("the connection ends", within: .seconds(60)) {
                // It may be closed in between.
                try? await client.stopReading()
                try await Task.sleep(for: .milliseconds(150))
                try? await client.startReading()
                try await Task.sleep(for: .milliseconds(5))
                return client.isClosed
            }
            #expect(client.answer?.status == 200)
            #expect(client.byteCount > 128 * 64 * 1024)
        }
    }

    @Test("a request that ends in its middle is answered 400")
    func halfRequest() async throws {
        try await TestGateway.run { gateway in
            for text in ["GET / HTTP/1.1\r\nHost: a", Self.join + "Content-Length: 9\r\n\r\n{"] {
                let client = try await connect(gateway, text)
                try await client.finishSending()
                try await eventually("the connection ends") { client.isClosed }
                #expect(client.statuses == [400])
            }
        }
    }

    @Test("a client that says it is done sending gets its answer first")
    func halfClosed() async throws {
        try await TestGateway.run { gateway in
            let client = try await connect(gateway, "GET /v1/sessions/s1 HTTP/1.1\r\n\(Self.host)\r\n")
            try await client.finishSending()
            try await eventually("the connection ends") { client.isClosed }
            #expect(client.statuses == [200])
        }
    }

    @Test("a body has to be JSON in UTF-8, however its type is written, and the answer says what is wrong")
    func mediaTypes() async throws {
        try await TestGateway.run { gateway in
            func join(_ headers: [(String, String)]) async throws -> HTTPAnswer {
                try await gateway.request("POST", "/v1/sessions/s1:join", headers: headers, body: "{}")
            }
            for type in ["application/json; charset=utf8", "Application/JSON;Charset=\"UTF-8\"", "application/json;"] {
                #expect(try await join([("Content-Type", type)]).status == 200, "\(type)")
            }
            let other = try await join([("Content-Type", "text/plain")])
            #expect(other.status == 415 && other.headers["accept"] == "application/json")
            #expect(other.message.contains("application/json"))
            let charset = try await join([("Content-Type", "application/json; charset=latin1")])
            #expect(charset.status == 415 && charset.message.contains("UTF-8"))
            let coding = try await join([("Content-Type", "application/json"), ("Content-Encoding", "gzip")])
            #expect(coding.status == 415 && coding.headers["accept-encoding"] == "identity")
        }
    }

    @Test("behind a proxy that names ports clients are told apart")
    func proxies() async throws {
        let configure: (inout GatewayConfiguration) -> Void = { configuration in
            configuration.rateRules[.signIn] = .init(burst: 1, interval: .seconds(100))
            configuration.trustedProxies = ["127.0.0.1"]
        }
        try await TestGateway.run(configure: configure) { gateway in
            let attempts: [(header: String, value: String, status: Int)] = [
                ("X-Forwarded-For", "198.51.100.11:50001", 401), ("X-Forwarded-For", "198.51.100.12:50001", 401),
                ("X-Forwarded-For", "198.51.100.11:50002", 429), ("X-Forwarded-For", "[2001:db8::1]:443", 401),
                ("X-Forwarded-For", "[2001:db8::2]:444", 429),
            ]
            try await signIn(attempts, at: gateway)
        }
    }

    private func signIn(
        _ attempts: [(header: String, value: String, status: Int)], at gateway: TestGateway,
        besides others: [(String, String)] = []
    ) async throws {
        for attempt in attempts {
            let answer = try await gateway.request(
                "POST", "/v1/sign-in", headers: [(attempt.header, attempt.value)] + others, body: #"{"code":"wrong"}"#)
            #expect(answer.status == attempt.status, "\(attempt)")
        }
    }

    @Test("of the two headers one is believed, and a client that writes the other is who it was")
    func oneHeader() async throws {
        func configure(_ header: ClientAddressHeader) -> (inout GatewayConfiguration) -> Void {
            { configuration in
                configuration.rateRules[.signIn] = .init(burst: 1, interval: .seconds(100))
                configuration.trustedProxies = ["127.0.0.1"]
                configuration.clientAddressHeader = header
            }
        }
        try await TestGateway.run(configure: configure(.forwarded)) { gateway in
            try await signIn(
                [
                    ("Forwarded", "for=\"[2001:db8:0:1::1]:443\";proto=https", 401),
                    ("Forwarded", "for=\"[2001:db8:0:1::3]\"", 429), ("Forwarded", "for=_hidden1", 401),
                    ("Forwarded", "for=_hidden2", 401), ("Forwarded", "for=_hidden1", 429),
                ], at: gateway)
            // The proxy writes Forwarded; what it passes on is the client's own.
            for number in 1...3 {
                let forged = [("X-Forwarded-For", "198.51.100.\(number)")]
                try await signIn(
                    [("Forwarded", "for=192.0.2.1", number == 1 ? 401 : 429)], at: gateway, besides: forged)
            }
        }
        try await TestGateway.run(configure: configure(.xForwardedFor)) { gateway in
            for number in 1...3 {
                let forged = [("Forwarded", "for=198.51.100.\(number)")]
                try await signIn(
                    [("X-Forwarded-For", "192.0.2.1", number == 1 ? 401 : 429)], at: gateway, besides: forged)
            }
        }
    }
}
