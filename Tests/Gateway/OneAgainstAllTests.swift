import Contracts
import Foundation
import GatewayServer
import RPC
import ServiceKit
import Synchronization
import Testing

@Suite("One against all others, at the gateway")
struct OneAgainstAllTests {
    private static let moderators = "?audience=MODERATORS"

    private func administrator(_ name: String, of organisation: String) -> [(String, String)] {
        [("Authorization", "Bearer \(name) of \(organisation)")]
    }

    private func client(_ number: Int) -> [(String, String)] { [("X-Forwarded-For", "192.0.2.\(number)")] }

    private func path(_ session: String) -> String { "/v1/sessions/\(session)/events" }

    /// Follows, and has caught up.
    private func follow(
        _ gateway: TestGateway, _ path: String, _ headers: [(String, String)]
    ) async throws -> HTTPConnection {
        let connection = try await gateway.follow(path, headers: headers)
        _ = try await connection.events(atLeast: 1)
        #expect(connection.answer?.status == 200)
        return connection
    }

    private func refusals(_ gateway: TestGateway, _ bound: String) -> Int {
        let start = "\(Refusals.metric){bound=\"\(bound)\"} "
        let line = gateway.metrics.text().split(separator: "\n").first { $0.hasPrefix(start) }
        return line.flatMap { Int($0.dropFirst(start.count)) } ?? -1
    }

    @Test("one organisation's moderators take their own places, one person's tabs theirs, and nobody else's")
    func moderators() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.moderatorsOfOrganisation = Bound("moderator-feeds-of-organisation", most: 3)
            $0.feed.moderatorsOfAdministrator = Bound("moderator-feeds-of-administrator", most: 2)
        }
        try await TestGateway.run(configure: configure) { gateway in
            let path = path("s1") + Self.moderators
            let (anna, bo) = (administrator("anna", of: "north"), administrator("bo", of: "north"))
            var open = [try await follow(gateway, path, anna), try await follow(gateway, path, anna)]
            for _ in 0..<50 {
                let refused = try await gateway.request("GET", path, headers: anna)
                #expect(refused.status == 429 && refused.reason == "TOO_MANY_FOLLOWERS")
                #expect(refused.bound == "moderator-feeds-of-administrator")
                #expect(refused.headers["retry-after"] == "5")
            }
            open.append(try await follow(gateway, path, bo))
            let refused = try await gateway.request("GET", path, headers: bo)
            #expect(refused.status == 429 && refused.bound == "moderator-feeds-of-organisation")

            open.append(try await follow(gateway, path, administrator("cia", of: "south")))
            open.append(try await follow(gateway, self.path("s1"), [("Samtal-Participant", "token")]))
            open.append(try await follow(gateway, self.path("s1"), []))
            #expect(refusals(gateway, "moderator-feeds-of-administrator") == 50)
            #expect(refusals(gateway, "moderator-feeds-of-organisation") == 1)

            open.removeFirst().close()
            try await eventually("her place is free") {
                try await gateway.follow(path, headers: anna).events(within: .milliseconds(500)).count > 0
            }
            for connection in open { connection.close() }
        }
    }

    @Test("one participant's token has a few feeds, and other participants' are not the fewer for it")
    func participants() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.participantsOfToken = Bound("participant-feeds-of-token", most: 2)
        }
        try await TestGateway.run(configure: configure) { gateway in
            func token(_ name: String) -> [(String, String)] { [("Samtal-Participant", name)] }
            var open = [
                try await follow(gateway, path("s1"), token("one")),
                try await follow(gateway, path("s1"), token("one")),
            ]
            for _ in 0..<50 {
                let refused = try await gateway.request("GET", path("s1"), headers: token("one"))
                #expect(refused.status == 429 && refused.bound == "participant-feeds-of-token")
            }
            open.append(try await follow(gateway, path("s1"), token("other")))
            for connection in open { connection.close() }
        }
    }

    private static let fewFeeds: @Sendable (inout GatewayConfiguration) -> Void = {
        $0.trustedProxies = ["127.0.0.1"]
        $0.feed.feeds = Bound("feeds", most: 8)
        $0.feed.feedsOfClient = Bound("feeds-of-client", most: 6, whenCrowded: 2)
    }

    @Test("one client may look at any number of sessions, one after the other, and others follow new ones at once")
    func touching() async throws {
        try await TestGateway.run(configure: Self.fewFeeds) { gateway in
            gateway.chat.state.withLock { $0.sessions.formUnion((0..<100).map { "s\($0)" }) }
            for number in 0..<60 {
                try await follow(gateway, path("s\(number)"), client(1)).close()
                #expect(gateway.hub.feedCount <= 6)
            }
            var open: [HTTPConnection] = []
            for number in 60..<66 { open.append(try await follow(gateway, path("s\(number)"), client(number))) }
            #expect(refusals(gateway, "feeds") == 0 && refusals(gateway, "feeds-of-client") == 0)
            for connection in open { connection.close() }
            try await eventually("what gave way is watched no more") {
                gateway.chat.state.withLock { $0.watches - $0.finishedWatches <= 8 }
            }
        }
    }

    @Test("one client that holds on to its feeds has so many, and the rest is for others")
    func holding() async throws {
        try await TestGateway.run(configure: Self.fewFeeds) { gateway in
            gateway.chat.state.withLock { $0.sessions.formUnion((0..<100).map { "s\($0)" }) }
            var open: [HTTPConnection] = []
            for number in 0..<6 { open.append(try await follow(gateway, path("s\(number)"), client(1))) }
            for number in 6..<40 {
                let refused = try await gateway.request("GET", path("s\(number)"), headers: client(1))
                #expect(refused.status == 429 && refused.bound == "feeds-of-client")
            }
            #expect(refusals(gateway, "feeds-of-client") == 34)
            // A session that is followed already takes no more.
            open.append(try await follow(gateway, path("s0"), client(1)))
            for number in 50..<52 { open.append(try await follow(gateway, path("s\(number)"), client(2))) }
            let full = try await gateway.request("GET", path("s60"), headers: client(3))
            #expect(full.status == 429 && full.bound == "feeds")
            open.removeLast().close()
            try await eventually("an idle one gives way") {
                try await gateway.follow(path("s60"), headers: client(3)).events(within: .milliseconds(500)).count > 0
            }
            for connection in open { connection.close() }
        }
    }

    @Test("an owner of an IPv6 /48 holds one network's feeds, whichever of its addresses it comes from")
    func networks() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.trustedProxies = ["127.0.0.1"]
            $0.feed.feedsOfNetwork = Bound("feeds-of-network", most: 4)
            $0.feed.followersOfNetwork = Bound("followers-of-network", most: 5)
            $0.feed.participantsOfNetwork = Bound("participant-feeds-of-network", most: 3)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.state.withLock { $0.sessions.formUnion((0..<20).map { "s\($0)" }) }
            func address(_ number: Int, network: Int = 1) -> [(String, String)] {
                [("X-Forwarded-For", "2001:db8:\(network):\(number)::1")]
            }
            func participant(_ number: Int, network: Int = 1) -> [(String, String)] {
                address(number, network: network) + [("Samtal-Participant", "token-\(number)")]
            }
            var open: [HTTPConnection] = []
            for number in 0..<4 { open.append(try await follow(gateway, path("s\(number)"), address(number))) }
            let feed = try await gateway.request("GET", path("s9"), headers: address(9))
            #expect(feed.status == 429 && feed.bound == "feeds-of-network")
            open.append(try await follow(gateway, path("s0"), address(10)))
            let follower = try await gateway.request("GET", path("s0"), headers: address(11))
            #expect(follower.status == 429 && follower.bound == "followers-of-network")
            for number in 0..<3 { open.append(try await follow(gateway, path("s0"), participant(number))) }
            let fourth = try await gateway.request("GET", path("s0"), headers: participant(4))
            #expect(fourth.status == 429 && fourth.bound == "participant-feeds-of-network")

            open.append(try await follow(gateway, path("s10"), address(0, network: 2)))
            open.append(try await follow(gateway, path("s10"), participant(9, network: 2)))
            open.append(try await follow(gateway, path("s11"), client(1)))
            for connection in open { connection.close() }
        }
    }

    @Test("of the feeds that nobody follows the oldest gives way first")
    func oldestFirst() async throws {
        try await TestGateway.run(configure: Self.fewFeeds) { gateway in
            gateway.chat.state.withLock { $0.sessions.formUnion((0..<20).map { "s\($0)" }) }
            func watches(_ session: String) -> Int {
                gateway.chat.state.withLock { state in state.watchRequests.count { $0.sessionID == session } }
            }
            for number in 0..<8 {
                try await follow(gateway, path("s\(number)"), client(number)).close()
                try await eventually("it is left") { gateway.hub.followerCount == 0 }
            }
            let open = [
                try await follow(gateway, path("s8"), client(9)), try await follow(gateway, path("s9"), client(9)),
            ]
            for number in 2..<8 { try await follow(gateway, path("s\(number)"), client(number)).close() }
            #expect((2..<8).allSatisfy { watches("s\($0)") == 1 })
            try await follow(gateway, path("s0"), client(1)).close()
            #expect(watches("s0") == 2)
            for connection in open { connection.close() }
        }
    }

    @Test("a session that everybody follows leaves room for those of others")
    func followers() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.followers = Bound("followers", most: 8)
            $0.feed.followersOfSession = Bound("followers-of-session", most: 7, whenCrowded: 1)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.state.withLock { _ = $0.sessions.insert("s2") }
            var open: [HTTPConnection] = []
            for _ in 0..<6 { open.append(try await follow(gateway, path("s1"), [])) }
            let refused = try await gateway.request("GET", path("s1"))
            #expect(refused.status == 429 && refused.bound == "followers-of-session")
            open.append(try await follow(gateway, path("s2"), []))
            for connection in open { connection.close() }
        }
    }

    @Test("one organisation with many sessions has so many feeds, followers and participants, and another has its own")
    func organisations() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.trustedProxies = ["127.0.0.1"]
            $0.feed.feedsOfOrganisation = Bound("feeds-of-organisation", most: 3)
            $0.feed.followersOfOrganisation = Bound("followers-of-organisation", most: 5)
            $0.feed.participantsOfOrganisation = Bound("participant-feeds-of-organisation", most: 4)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.state.withLock { state in
                state.sessions = Set((0..<20).map { "n\($0)" } + ["s0"])
                for number in 0..<20 { state.owners["n\(number)"] = "north" }
                state.owners["s0"] = "south"
            }
            // From other addresses, and with other tokens, each.
            var open: [HTTPConnection] = []
            for number in 0..<3 { open.append(try await follow(gateway, path("n\(number)"), client(number))) }
            let fourth = try await gateway.request("GET", path("n3"), headers: client(3))
            #expect(fourth.status == 429 && fourth.bound == "feeds-of-organisation")
            for number in 4..<6 { open.append(try await follow(gateway, path("n0"), client(number))) }
            let sixth = try await gateway.request("GET", path("n1"), headers: client(6))
            #expect(sixth.status == 429 && sixth.bound == "followers-of-organisation")
            func participant(_ number: Int) -> [(String, String)] {
                client(number) + [("Samtal-Participant", "token-\(number)")]
            }
            for number in 0..<4 { open.append(try await follow(gateway, path("n\(number)"), participant(number))) }
            let fifth = try await gateway.request("GET", path("n9"), headers: participant(5))
            #expect(fifth.status == 429 && fifth.bound == "participant-feeds-of-organisation")

            open.append(try await follow(gateway, path("s0"), client(7)))
            open.append(try await follow(gateway, path("s0"), participant(7)))
            #expect(refusals(gateway, "feeds-of-organisation") == 1)
            // One of its own that nobody follows gives way, and no other's.
            open.remove(at: 2).close()
            try await eventually("its own gives way") {
                try await gateway.follow(path("n3"), headers: client(3)).events(within: .milliseconds(500)).count > 0
            }
            for connection in open { connection.close() }
        }
    }

    @Test("however many exports are slow, calls through the gateway are answered")
    func exports() async throws {
        try await TestGateway.run { gateway in
            gateway.others.state.withLock {
                $0.chunks = 1_000
                $0.chunkBytes = 60_000
            }
            func channel() -> RPCChannel {
                RPCChannel(
                    socketPath: "\(gateway.folder)/gateway.sock", name: "gateway", group: gateway.group,
                    logger: TestGateway.quiet)
            }
            let (one, other) = (channel(), channel())
            let retention = RetentionV1.RetentionServiceClient(channel: one)
            var slow: [ResponseStream<RetentionV1.ExportChunk>.AsyncIterator] = []
            var refusal: RPCError?
            while refusal == nil, slow.count < 400 {
                var export = retention.exportSession(.init(sessionID: "s1"), options: CallOptions()).makeAsyncIterator()
                do {
                    #expect(try await export.next() != nil)
                    slow.append(export)
                } catch {
                    refusal = error as? RPCError
                }
            }
            #expect(slow.count == 300)
            #expect(refusal?.reason == "TOO_MANY_STREAMS")
            #expect(refusal?.metadata == ["bound": "forwarded-streams-of-process"])
            let policy = try await RetentionV1.RetentionServiceClient(channel: other)
                .setPolicy(.init(organisationID: "o1", retentionDays: 3))
            #expect(policy.retentionDays == 3)
            let set = try await gateway.request("PUT", "/v1/organisations/o1/policy", body: #"{"retentionDays":4}"#)
            #expect(set.status == 200)
            slow.removeAll()
            await one.close()
            await other.close()
        }
    }
}

extension HTTPConnection {
    /// The events that have come by then, or an answer that is none; the connection is closed.
    fileprivate func events(within time: Duration) async throws -> [Event] {
        defer { close() }
        let deadline = ContinuousClock.now + time
        while events.isEmpty, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        return events
    }
}
