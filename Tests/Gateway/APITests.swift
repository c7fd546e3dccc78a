import Contracts
import Foundation
import GatewayCore
import GatewayServer
import RPC
import Synchronization
import Testing

@Suite("the JSON API")
struct APITests {
    @Test("a call goes to its service with path and body put together, and its answer comes back as JSON")
    func calls() async throws {
        try await TestGateway.run { gateway in
            let answer = try await gateway.request(
                "POST", "/v1/sessions/s1:join", body: #"{"displayName":"Alva","sessionId":"other"}"#)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.json["participantToken"] as? String == "token")
            #expect((answer.json["session"] as? [String: Any])?["title"] as? String == "Budget")
            let joined = gateway.chat.state.withLock { $0.joined }
            #expect(joined == [.init(sessionID: "s1", displayName: "Alva")])
        }
    }

    @Test("a GET fills its request from path and query, by either spelling")
    func queries() async throws {
        try await TestGateway.run { gateway in
            let path = "/v1/sessions/s1/questions"
            #expect(try await gateway.request("GET", "\(path)?page_size=7&page_token=a%2Bb").status == 200)
            #expect(try await gateway.request("GET", "\(path)?pageSize=8").status == 200)
            let listed = gateway.chat.state.withLock { $0.listed }
            #expect(
                listed == [
                    .init(sessionID: "s1", pageSize: 7, pageToken: "a+b"), .init(sessionID: "s1", pageSize: 8),
                ])
            let unknown = try await gateway.request("GET", "\(path)?colour=red")
            #expect(unknown.status == 400 && unknown.fields == ["colour"])
            let again = try await gateway.request("GET", "\(path)?session_id=s2")
            #expect(again.status == 400 && again.fields == ["session_id"])
            #expect(try await gateway.request("GET", "\(path)?page_size=x").fields == ["page_size"])
        }
    }

    @Test("the tokens go on with a call, and nothing else of the request's headers")
    func tokens() async throws {
        try await TestGateway.run { gateway in
            _ = try await gateway.request(
                "POST", "/v1/sessions/s1/questions",
                headers: [
                    ("Authorization", "Bearer abc"), ("Samtal-Participant", "p1"), ("User-Agent", "Probe/1"),
                    ("X-Forwarded-For", "192.0.2.1"), ("Cookie", "a=b"), ("samtal-role", "operator"),
                ], body: #"{"text":"Varför?","requestId":"request-1"}"#)
            let (path, metadata) = try #require(gateway.chat.state.withLock { $0.calls.first })
            #expect(path == ChatV1.ChatServiceMethods.askQuestion.path)
            #expect(metadata[first: "authorization"] == "Bearer abc")
            #expect(metadata[first: "samtal-participant"] == "p1")
            let values = metadata.pairs.map(\.value).joined(separator: " ")
            for secret in ["Probe", "192.0.2.1", "a=b", "operator"] { #expect(!values.contains(secret)) }
        }
    }

    @Test("an error keeps its code, reason and fields")
    func errors() async throws {
        try await TestGateway.run { gateway in
            let missing = try await gateway.request("GET", "/v1/sessions/s2")
            #expect(missing.status == 404 && missing.code == "NOT_FOUND" && missing.reason == "SESSION_NOT_FOUND")
            gateway.chat.fail(.invalid("text", "must not be empty"))
            let invalid = try await gateway.request("POST", "/v1/sessions/s1/questions", body: "{}")
            #expect(invalid.status == 400 && invalid.reason == "INVALID_FIELD" && invalid.fields == ["text"])
            gateway.chat.fail(RPCError(.unauthenticated, "the call needs a token", reason: "TOKEN_REQUIRED"))
            let refused = try await gateway.request("POST", "/v1/sessions/s1/questions", body: "{}")
            #expect(refused.status == 401 && refused.headers["www-authenticate"] == "Bearer")
        }
    }

    @Test("unknown paths are 404 and known paths with other verbs 405, in JSON")
    func routing() async throws {
        try await TestGateway.run { gateway in
            for path in ["/v1/nothing", "/v1/sessions/s1:explode", "/v1/", "/v1/sessions/s1/questions/"] {
                let answer = try await gateway.request("GET", path)
                #expect(answer.status == 404 && answer.code == "NOT_FOUND", "\(path)")
            }
            let answer = try await gateway.request("DELETE", "/v1/sessions/s1/questions")
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(try await gateway.request("POST", "/admin", body: "{}").status == 405)
        }
    }

    @Test(
        "hostile bodies are refused with a reason, and the next request is served",
        arguments: [
            ("", 200), ("null", 400), ("[]", 400), ("{", 400), ("{}x", 400), (#"{"displayName":5}"#, 400),
            (#"{"nonsense":1}"#, 400), (#"{"displayName":"\ud800"}"#, 400), (#"{"displayName":"a\u0000b"}"#, 400),
            (String(repeating: "[", count: 4_000), 400),
            (#"{"displayName":""# + String(repeating: "x", count: 9_000) + "\"}", 413),
            (#"{"displayName":""# + String(repeating: "x", count: 6_000) + "\"}", 413),
            (#"{"displayName":"a","displayName":"b"}"#, 400),
        ])
    func hostileBodies(body: String, status: Int) async throws {
        try await TestGateway.run { gateway in
            let answer = try await gateway.request("POST", "/v1/sessions/s1:join", body: body)
            #expect(answer.status == status)
            if status != 200 { #expect(answer.code == "INVALID_ARGUMENT") }
            #expect(try await gateway.request("GET", "/v1/sessions/s1").status == 200)
        }
    }

    @Test("a body has to be JSON by its own account")
    func contentTypes() async throws {
        try await TestGateway.run { gateway in
            for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
                let answer = try await gateway.request(
                    "POST", "/v1/sessions/s1:join", headers: [("Content-Type", type)], body: "{}")
                #expect(answer.status == 415 && answer.reason == "UNSUPPORTED_MEDIA_TYPE", "\(type)")
            }
            let get = try await gateway.request("GET", "/v1/sessions/s1", body: "{}")
            #expect(get.status == 400)
        }
    }

    @Test("a body without a length is bounded as it comes")
    func chunkedBody() async throws {
        try await TestGateway.run { gateway in
            let connection = try await HTTPConnection(port: gateway.port, group: gateway.group)
            try await connection.send(
                "POST", "/v1/sessions/s1:join",
                headers: [("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")])
            // It is answered, and the connection ends, while this is still being sent.
            for _ in 0..<10 { try? await connection.send("400\r\n\(String(repeating: " ", count: 1_024))\r\n") }
            try? await connection.send("0\r\n\r\n")
            #expect(try await connection.wholeAnswer().status == 413)
            connection.close()
        }
    }

    @Test("a service that is away is 503 and named, and the others go on")
    func neighbourAway() async throws {
        try await TestGateway.run(services: ["identity"]) { gateway in
            let away = try await gateway.request("GET", "/v1/sessions/s1")
            #expect(away.status == 503 && away.code == "UNAVAILABLE" && away.reason == "NEIGHBOUR_UNAVAILABLE")
            #expect(away.message.contains("chat"))
            let events = try await gateway.request("GET", "/v1/sessions/s1/events")
            #expect(events.status == 503 && events.message.contains("chat"))
            let export = try await gateway.request("GET", "/v1/sessions/s1/export")
            #expect(export.status == 503 && export.message.contains("retention"))
            #expect(try await gateway.request("POST", "/v1/sign-in", body: #"{"code":"right"}"#).status == 200)
            let health = try await gateway.request("GET", "/healthz")
            #expect(health.status == 200)
            #expect(health.json["status"] as? String == "serving")
            #expect(
                health.json["neighbours"] as? [String: String]
                    == ["identity": "serving", "chat": "unreachable", "retention": "unreachable"])
            let clocks = health.json["clocks"] as? [String: String]
            #expect(clocks == ["identity": "unknown", "chat": "unknown", "retention": "unknown"])
        }
    }

    @Test("an export is a download, whole and in order")
    func export() async throws {
        try await TestGateway.run { gateway in
            let answer = try await gateway.request("GET", "/v1/sessions/s1/export")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/zip")
            #expect(answer.headers["content-disposition"] == "attachment; filename=\"samtal-s1.zip\"")
            let expected =
                [UInt8](repeating: 0, count: 10) + [UInt8](repeating: 1, count: 10) + [UInt8](repeating: 2, count: 10)
            #expect(answer.body == expected)
            gateway.others.state.withLock { $0.failure = RPCError(.failedPrecondition, "not ended") }
            let refused = try await gateway.request("GET", "/v1/sessions/s1/export")
            #expect(refused.status == 400 && refused.code == "FAILED_PRECONDITION")
        }
    }

    @Test("an export waits for a client that does not read, and goes on when it does")
    func exportBackPressure() async throws {
        try await TestGateway.run { gateway in
            gateway.others.state.withLock { ($0.chunks, $0.chunkBytes) = (1_000, 64 * 1024) }
            let connection = try await gateway.follow("/v1/sessions/s1/export")
            try await eventually("the download begins") { (connection.answer?.body.count ?? 0) > 0 }
            try await connection.stopReading()
            var last = -1
            try await eventually("the service stops sending") {
                let sent = gateway.others.state.withLock { $0.sentChunks }
                defer { last = sent }
                try await Task.sleep(for: .milliseconds(300))
                return sent == last
            }
            #expect(last < 900)
            try await connection.startReading()
            try await eventually("everything is sent") { gateway.others.state.withLock { $0.sentChunks } == 1_000 }
            connection.close()
        }
    }

    @Test("who comes too often is told when to come back, and others are not kept out")
    func rateLimits() async throws {
        let configure: (inout GatewayConfiguration) -> Void = { configuration in
            configuration.rateRules[.signIn] = .init(burst: 2, interval: .seconds(100))
            configuration.trustedProxies = ["127.0.0.1"]
        }
        try await TestGateway.run(configure: configure) { gateway in
            func signIn(_ client: String) async throws -> HTTPAnswer {
                try await gateway.request(
                    "POST", "/v1/sign-in", headers: [("X-Forwarded-For", client)], body: #"{"code":"wrong"}"#)
            }
            #expect(try await signIn("192.0.2.1").status == 401)
            #expect(try await signIn("192.0.2.1").status == 401)
            let refused = try await signIn("192.0.2.1")
            #expect(refused.status == 429 && refused.code == "RESOURCE_EXHAUSTED" && refused.reason == "RATE_LIMITED")
            let pause = refused.headers["retry-after"].flatMap(Int.init) ?? 0
            #expect((1...100).contains(pause))
            #expect(try await signIn("192.0.2.2").status == 401)
            #expect(try await gateway.request("GET", "/v1/sessions/s1").status == 200)
        }
    }

    @Test("without a trusted proxy nobody gets a new allowance by claiming another address")
    func spoofedAddress() async throws {
        try await TestGateway.run(configure: { $0.rateRules[.signIn] = .init(burst: 1, interval: .seconds(100)) }) {
            gateway in
            var statuses: [Int] = []
            for client in ["192.0.2.1", "192.0.2.2"] {
                statuses.append(
                    try await gateway.request(
                        "POST", "/v1/sign-in", headers: [("X-Forwarded-For", client)], body: "{}"
                    ).status)
            }
            #expect(statuses == [401, 429])
        }
    }

    @Test("requests for paths that there aren't are counted like others")
    func unknownPathsCount() async throws {
        try await TestGateway.run(configure: { $0.rateRules[.read] = .init(burst: 1, interval: .seconds(100)) }) {
            gateway in
            var statuses: [Int] = []
            for _ in 0..<2 { statuses.append(try await gateway.request("GET", "/v1/nothing").status) }
            #expect(statuses == [404, 429])
        }
    }

    @Test("headers over the bound and requests that never end close the connection")
    func bounds() async throws {
        try await TestGateway.run(configure: { $0.requestTimeout = .seconds(1) }) { gateway in
            let large = try await HTTPConnection(port: gateway.port, group: gateway.group)
            try await large.send("GET", "/", headers: [("X-Large", String(repeating: "x", count: 40_000))])
            try await eventually("the large one is closed") { large.isClosed }
            #expect(large.answer?.status == 431 && large.answer?.reason == "HEADERS_TOO_LARGE")
            let slow = try await HTTPConnection(port: gateway.port, group: gateway.group)
            try await slow.send(
                "POST", "/v1/sessions/s1:join",
                headers: [("Content-Type", "application/json"), ("Content-Length", "9")], body: "{"
            )
            try await eventually("the slow one is closed") { slow.isClosed }
            #expect(try await gateway.request("GET", "/v1/sessions/s1").status == 200)
        }
    }
}
