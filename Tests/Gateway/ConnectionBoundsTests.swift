import Foundation
import GatewayServer
import Logging
import RPC
import ServiceKit
import Synchronization
import Testing

/// Connections of one client, and another who must not notice.
@Suite("bounds on connections")
struct ConnectionBoundsTests {
    /// Many connections on which nothing, or the same beginning, is said.
    private func hold(
        _ count: Int, on gateway: TestGateway, from address: String = "127.0.0.1", saying text: String = ""
    )
        async throws -> [HTTPConnection]
    {
        var connections: [HTTPConnection] = []
        for _ in 0..<count {
            let connection = try await HTTPConnection(port: gateway.port, group: gateway.group, from: address)
            if !text.isEmpty { try await connection.send(text) }
            connections.append(connection)
        }
        return connections
    }

    private func value(_ metric: String, _ gateway: TestGateway) -> Int {
        let line = gateway.metrics.text().split(separator: "\n").first { $0.hasPrefix(metric + " ") }
        return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? -1
    }

    @Test("one client's idle connections give way to its newer ones, and another client's stay")
    func perClient() async throws {
        try await TestGateway.run(configure: { $0.maximumConnectionsPerClient = 20 }) { gateway in
            let other = try await HTTPConnection(port: gateway.port, group: gateway.group, from: "127.0.0.2")
            let crowd = try await hold(100, on: gateway)
            try await eventually("eighty have given way") { crowd.filter(\.isClosed).count == 80 }
            // Those that came at the same time may have been taken up in another order.
            let (oldest, newest) = (crowd.prefix(60), crowd.suffix(10))
            #expect(oldest.count { $0.isClosed } == 60 && newest.count { $0.isClosed } == 0)
            // Both are served: the crowd's own next request, and the one who came first and never noticed.
            #expect(try await gateway.request("GET", "/v1/sessions/s1").status == 200)
            #expect(!other.isClosed)
            try await other.send("GET", "/healthz")
            #expect(try await other.wholeAnswer().status == 200)
            let gaveWay = #"http_server_connections_gave_way_total{bound="maximumConnectionsPerClient"}"#
            #expect(value(gaveWay, gateway) >= 80)
            let lines = gateway.log.lines.filter { $0.contains("gave way") }
            #expect(!lines.isEmpty && lines.count < 80 && lines[0].contains(#""bound":"maximumConnectionsPerClient""#))
            #expect(!gateway.log.lines.contains { $0.contains("127.0.0.") })
            for connection in crowd + [other] { connection.close() }
        }
    }

    @Test("one client's followed feeds up to its bound keep only itself out, which is told the bound")
    func busyPerClient() async throws {
        try await TestGateway.run(configure: { $0.maximumConnectionsPerClient = 10 }) { gateway in
            var feeds: [HTTPConnection] = []
            for _ in 0..<10 {
                let feed = try await gateway.follow()
                _ = try await feed.events(atLeast: 1)
                feeds.append(feed)
            }
            let refused = try await hold(1, on: gateway)[0]
            try await eventually("it is closed") { refused.isClosed }
            #expect(refused.answer?.status == 429 && refused.answer?.reason == "TOO_MANY_CONNECTIONS")
            #expect(refused.answer?.message.contains("maximumConnectionsPerClient") == true)
            #expect(refused.answer?.headers["content-security-policy"] != nil)
            let name = #"http_server_connections_refused_total{bound="maximumConnectionsPerClient"}"#
            #expect(value(name, gateway) == 1)
            let other = try await HTTPConnection(port: gateway.port, group: gateway.group, from: "127.0.0.2")
            try await other.send("GET", "/healthz")
            #expect(try await other.wholeAnswer().status == 200)
            #expect(feeds.allSatisfy { !$0.isClosed })
            for connection in feeds + [other] { connection.close() }
        }
    }

    @Test("when all places are taken idle connections give way, and those in use stay")
    func all() async throws {
        try await TestGateway.run(configure: { $0.maximumConnections = 30 }) { gateway in
            let feed = try await gateway.follow()
            _ = try await feed.events(atLeast: 1)
            var crowd: [HTTPConnection] = []
            for address in 2..<12 { crowd += try await hold(10, on: gateway, from: "127.0.1.\(address)") }
            try await eventually("as many as there are too many have given way") {
                crowd.filter(\.isClosed).count >= 71
            }
            for _ in 0..<5 { #expect(try await gateway.request("GET", "/healthz").status == 200) }
            #expect(!feed.isClosed, "it is in use")
            #expect(value("http_server_connections_open", gateway) <= 30)
            // Their own, once the places are crowded, and then of whoever holds most.
            let gaveWay = ["maximumConnections", "maximumConnectionsPerClient"].map { bound in
                value(#"http_server_connections_gave_way_total{bound="\#(bound)"}"#, gateway)
            }
            #expect(gaveWay[0] > 0 && gaveWay[1] > 0 && gaveWay[0] + gaveWay[1] >= 71)
            for connection in crowd + [feed] { connection.close() }
        }
    }

    @Test("a request's clock starts with the connection, so that sending it byte by byte buys no time")
    func slowHead() async throws {
        try await TestGateway.run(configure: { $0.requestTimeout = .seconds(2) }) { gateway in
            let bytes: [Character] = Array("GET / HTTP/1.1\r\nHost: samtal.example.se\r\n\r\n")
            let slow = try await hold(5, on: gateway)
            var sent = 0
            for byte in bytes.prefix(bytes.count - 1) where slow.contains(where: { !$0.isClosed }) {
                for connection in slow where !connection.isClosed { try? await connection.send(String(byte)) }
                sent += 1
                // Another client asks and is answered meanwhile.
                if sent == 3 { #expect(try await gateway.request("GET", "/healthz").status == 200) }
                try await Task.sleep(for: .milliseconds(200))
            }
            try await eventually("they are closed") { slow.allSatisfy(\.isClosed) }
            #expect(sent < bytes.count - 1, "before they were done")
            for connection in slow {
                #expect(connection.statuses == [408] && connection.answer?.reason == "REQUEST_TIMEOUT")
            }
            #expect(value("http_server_connection_timeouts_total", gateway) >= 5)
            #expect(value(#"http_server_refusals_total{reason="REQUEST_TIMEOUT"}"#, gateway) >= 5)
        }
    }

    @Test("a second request has its time from its first byte on, and a body that dribbles has no more than a head")
    func slowLater() async throws {
        try await TestGateway.run(configure: { $0.requestTimeout = .seconds(2) }) { gateway in
            let request = "GET /v1/sessions/s1 HTTP/1.1\r\nHost: samtal.example.se\r\n"
            let second = try await hold(1, on: gateway, saying: request + "\r\n")[0]
            try await eventually("the first is answered") { second.statuses == [200] }
            // Longer than a request may take: between requests the connection is idle.
            try await Task.sleep(for: .milliseconds(2_500))
            #expect(!second.isClosed)
            try await second.send("GET / HT")
            try await eventually("it is closed") { second.isClosed }
            #expect(second.statuses == [200, 408])
            // Both in one packet; then the body of the second comes to no end.
            let body = try await hold(
                1, on: gateway,
                saying: request + "\r\nPOST /v1/sessions/s1:join HTTP/1.1\r\nHost: samtal.example.se\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n")[0]
            for _ in 0..<50 where !body.isClosed {
                try? await body.send(" ")
                try await Task.sleep(for: .milliseconds(100))
            }
            try await eventually("it is closed") { body.isClosed }
            #expect(body.statuses == [200, 408])
        }
    }

    @Test("a connection on which nothing is said is closed without an answer")
    func silent() async throws {
        let configure: (inout GatewayConfiguration) -> Void = { configuration in
            configuration.requestTimeout = .milliseconds(1_500)
            configuration.idleTimeout = .milliseconds(1_500)
        }
        try await TestGateway.run(configure: configure) { gateway in
            let silent = try await hold(1, on: gateway)[0]
            let used = try await hold(1, on: gateway, saying: "GET / HTTP/1.1\r\nHost: samtal.example.se\r\n\r\n")[0]
            let feed = try await gateway.follow()
            try await eventually("both are closed") { silent.isClosed && used.isClosed }
            #expect(silent.statuses == [] && used.statuses == [200])
            #expect(!feed.isClosed)
            feed.close()
        }
    }

    @Test("the process's descriptors lower the bounds, and one client has no more than half of them")
    func descriptors() {
        var configuration = GatewayConfiguration()
        configuration.limit(by: DescriptorBudget(limit: 64))
        #expect(configuration.maximumConnections == 16 && configuration.maximumConnectionsPerClient == 8)
        #expect(configuration.maximumConnectionsPerNetwork == 12)
        configuration = GatewayConfiguration()
        configuration.limit(by: DescriptorBudget(limit: 1_000_000))
        #expect(configuration.maximumConnections == 16_384 && configuration.maximumConnectionsPerClient == 4_096)
    }
}
