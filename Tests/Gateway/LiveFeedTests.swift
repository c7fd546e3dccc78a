import Contracts
import Foundation
import GatewayServer
import NIOCore
import RPC
import ServiceKit
import Synchronization
import Testing

@Suite("the live feed")
struct LiveFeedTests {
    @Test("a browser gets the present state, is told when it has it, and then every change")
    func follows() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.add(.session(gateway.chat.state.withLock { $0.session }))
            gateway.chat.addQuestion("q1", "Hur långt är ett snöre?")
            let browser = try await gateway.follow()
            let present = try await browser.events(atLeast: 3)
            #expect(present.map(\.name) == ["session", "question", "caught-up"])
            #expect(present.map(\.sequence) == [1, 2, 2])
            #expect(present[1].data.contains("Hur långt är ett snöre?"))
            #expect(browser.answer?.headers["content-type"] == "text/event-stream")
            #expect(browser.answer?.text.hasPrefix("retry: 2000\n\n") == true)
            gateway.chat.addQuestion("q2")
            gateway.chat.add(.removedQuestionID("q1"))
            let later = try await browser.events(atLeast: 5)
            #expect(later.suffix(2).map(\.name) == ["question", "removed"])
            #expect(later.last?.data.contains(#""removedQuestionId":"q1""#) == true)
            browser.close()
        }
    }

    @Test("a browser that comes back gets what it missed, by header or by address, and nothing twice")
    func resumes() async throws {
        try await TestGateway.run { gateway in
            for number in 1...4 { gateway.chat.addQuestion("q\(number)") }
            let byHeader = try await gateway.follow(headers: [("Last-Event-ID", gateway.position(2))])
            #expect(try await byHeader.events(atLeast: 3).map(\.sequence) == [3, 4, 4])
            let byAddress = try await gateway.follow("/v1/sessions/s1/events?after=\(gateway.position(3))")
            #expect(try await byAddress.events(atLeast: 2).map(\.sequence) == [4, 4])
            let both = try await gateway.follow(
                "/v1/sessions/s1/events?after=\(gateway.position(1))",
                headers: [("Last-Event-ID", gateway.position(4))])
            #expect(try await both.events(atLeast: 1).map(\.name) == ["caught-up"])
            gateway.chat.add(.removedQuestionID("q1"))
            #expect(try await both.events(atLeast: 2).last?.name == "removed")
            let new = try await gateway.follow()
            #expect(try await new.events(atLeast: 4).map(\.sequence) == [2, 3, 4, 5])
            for query in ["after=x", "position=x", "after=4"] {
                let bad = try await gateway.request("GET", "/v1/sessions/s1/events?\(query)")
                #expect(bad.status == 400 && bad.fields == ["position"])
            }
            for browser in [byHeader, byAddress, both, new] { browser.close() }
        }
    }

    @Test("however many follow, upstream is watched once")
    func oneUpstream() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q1")
            let browsers = try await withThrowingTaskGroup(of: HTTPConnection.self) { group in
                for _ in 0..<50 { group.addTask { try await gateway.follow() } }
                return try await group.reduce(into: [HTTPConnection]()) { $0.append($1) }
            }
            for browser in browsers { _ = try await browser.events(atLeast: 2) }
            gateway.chat.addQuestion("q2")
            for browser in browsers { #expect(try await browser.events(atLeast: 3).last?.sequence == 2) }
            #expect(gateway.chat.state.withLock { $0.watches } == 1)
            #expect(gateway.chat.state.withLock { $0.watchRequests } == [.init(sessionID: "s1", audience: .public)])
            for browser in browsers { browser.close() }
        }
    }

    @Test("when upstream breaks the feed goes on after the last event, and browsers notice nothing")
    func upstreamBreaks() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q1")
            let browser = try await gateway.follow()
            _ = try await browser.events(atLeast: 2)
            gateway.chat.breakWatches()
            try await eventually("upstream is watched again") { gateway.chat.state.withLock { $0.watches } == 2 }
            gateway.chat.addQuestion("q2")
            #expect(try await browser.events(atLeast: 3).map(\.sequence) == [1, 1, 2])
            #expect(gateway.chat.state.withLock { $0.watchRequests.last?.position } == gateway.position(1))
            browser.close()
        }
    }

    @Test("an unknown session is 404, and leaves nothing behind")
    func unknownSession() async throws {
        try await TestGateway.run { gateway in
            let answer = try await gateway.request("GET", "/v1/sessions/s2/events")
            #expect(answer.status == 404 && answer.reason == "SESSION_NOT_FOUND")
            gateway.chat.addQuestion("q1")
            #expect(try await gateway.follow().events(atLeast: 2).count == 2)
        }
    }

    @Test("when a session is erased its followers are told, and its texts are served to nobody")
    func gone() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q1")
            let browser = try await gateway.follow()
            _ = try await browser.events(atLeast: 2)
            gateway.chat.fail(RPCError(.notFound, "session: not found", reason: "SESSION_NOT_FOUND"))
            #expect(try await browser.events(atLeast: 3).last?.name == "gone")
            _ = try await browser.wholeAnswer()
            let later = try await gateway.request("GET", "/v1/sessions/s1/events")
            #expect(later.status == 404)
        }
    }

    @Test("while chat is away followers are told, also those who come meanwhile, and told when it is back")
    func away() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.heartbeat = .milliseconds(50)
            $0.feed.awayTime = .milliseconds(200)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.addQuestion("q1")
            let browser = try await gateway.follow()
            _ = try await browser.events(atLeast: 2)
            gateway.chat.fail(RPCError(.unavailable, "chat is not reachable", reason: "NEIGHBOUR_UNAVAILABLE"))
            #expect(try await browser.events(atLeast: 3).last?.name == "away")
            let later = try await gateway.follow()
            #expect(try await later.events(atLeast: 3).map(\.name) == ["question", "caught-up", "away"])
            gateway.chat.fail(nil)
            gateway.chat.addQuestion("q2")
            for one in [browser, later] {
                #expect(try await one.events(atLeast: 5).suffix(2).map(\.name) == ["back", "question"])
            }
            // One that hangs keeps its connections; its health says so.
            gateway.hub.chat(answers: false)
            #expect(try await browser.events(atLeast: 6).last?.name == "away")
            gateway.hub.chat(answers: true)
            #expect(try await browser.events(atLeast: 7).last?.name == "back")
            for one in [browser, later] { one.close() }
        }
    }

    @Test("at the time of erasure the gateway hides the session by its own clock")
    func deadline() async throws {
        let box = ClockBox(Date(timeIntervalSince1970: 1_000))
        try await TestGateway.run(configure: { $0.feed.heartbeat = .milliseconds(50) }, now: { box.now }) { gateway in
            var session = gateway.chat.state.withLock { $0.session }
            session.state = .ended
            session.deleteTime = GoogleProtobuf.Timestamp(Date(timeIntervalSince1970: 2_000))
            gateway.chat.add(.session(session))
            let browser = try await gateway.follow()
            _ = try await browser.events(atLeast: 2)
            box.set(Date(timeIntervalSince1970: 2_000))
            #expect(try await browser.events(atLeast: 3).last?.name == "gone")
        }
    }

    @Test("while chat is away the state is shown for a while, and then dropped")
    func stale() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.heartbeat = .milliseconds(20)
            $0.feed.staleTime = .milliseconds(600)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.addQuestion("q1")
            let browser = try await gateway.follow()
            _ = try await browser.events(atLeast: 2)
            gateway.chat.fail(RPCError(.unavailable, "away"))
            let meanwhile = try await gateway.follow()
            #expect(try await meanwhile.events(atLeast: 2).first?.sequence == 1)
            _ = try await browser.wholeAnswer()
            #expect(browser.events.last?.name != "gone")
            let later = try await gateway.request("GET", "/v1/sessions/s1/events")
            #expect(later.status == 503)
        }
    }

    @Test("a feed that nobody follows is dropped, and its watch with it")
    func unfollowed() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.heartbeat = .milliseconds(20)
            $0.feed.unfollowedTime = .milliseconds(300)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.addQuestion("q1")
            let browser = try await gateway.follow()
            _ = try await browser.events(atLeast: 2)
            #expect(gateway.chat.state.withLock { $0.finishedWatches } == 0)
            browser.close()
            try await eventually("the watch ends") { gateway.chat.state.withLock { $0.finishedWatches } == 1 }
            let again = try await gateway.follow()
            #expect(try await again.events(atLeast: 2).first?.sequence == 1)
            again.close()
        }
    }

    @Test("a browser that does not read is cut, and the others go on")
    func slowFollower() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q0")
            let slow = try await gateway.follow()
            let quick = try await gateway.follow()
            _ = try await slow.events(atLeast: 2)
            _ = try await quick.events(atLeast: 2)
            try await slow.stopReading()
            let text = String(repeating: "å", count: 200_000)
            var expected = quick.byteCount
            try await eventually("the slow one's place is free") {
                gateway.chat.addQuestion("q1", text)
                expected += text.utf8.count
                try await eventually("the quick one keeps up") { quick.byteCount >= expected }
                return gateway.hub.followerCount == 1
            }
            #expect(!quick.isClosed)
            quick.close()
            slow.close()
        }
    }

    @Test("heartbeats come while nothing happens")
    func heartbeats() async throws {
        try await TestGateway.run(configure: { $0.feed.heartbeat = .milliseconds(30) }) { gateway in
            let browser = try await gateway.follow()
            let moderator = try await gateway.follow(
                "/v1/sessions/s1/events?audience=MODERATORS", headers: [("Authorization", "Bearer a")])
            for connection in [browser, moderator] {
                try await eventually("two heartbeats come") {
                    (connection.answer?.text.components(separatedBy: "\n:\n").count ?? 0) > 2
                }
                connection.close()
            }
        }
    }

    @Test("moderators have a watch of their own, with their authorisation, that ends when they leave")
    func moderators() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q1")
            let moderator = try await gateway.follow(
                "/v1/sessions/s1/events?audience=MODERATORS&after=", headers: [("Authorization", "Bearer abc")])
            #expect(try await moderator.events(atLeast: 2).map(\.name) == ["question", "caught-up"])
            gateway.chat.addQuestion("q2")
            #expect(try await moderator.events(atLeast: 3).last?.sequence == 2)
            let (request, metadata) = gateway.chat.state.withLock { ($0.watchRequests[0], $0.watchMetadata[0]) }
            #expect(request.audience == .moderators)
            #expect(metadata[first: "authorization"] == "Bearer abc")
            moderator.close()
            try await eventually("the watch ends") { gateway.chat.state.withLock { $0.finishedWatches } == 1 }
            gateway.chat.fail(RPCError(.permissionDenied, "no", reason: "PRINCIPAL_NOT_ALLOWED"))
            let refused = try await gateway.request("GET", "/v1/sessions/s1/events?audience=MODERATORS")
            #expect(refused.status == 403)
            let unknown = try await gateway.request("GET", "/v1/sessions/s1/events?audience=ALL")
            #expect(unknown.fields == ["audience"])
        }
    }

    @Test("a participant follows their own questions with their token, and has the feed's shape otherwise")
    func author() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q1")
            let participant = try await gateway.follow(
                "/v1/sessions/s1/events?audience=AUTHOR&after=", headers: [("Samtal-Participant", "token")])
            #expect(try await participant.events(atLeast: 2).map(\.name) == ["question", "caught-up"])
            let (request, metadata) = gateway.chat.state.withLock { ($0.watchRequests[0], $0.watchMetadata[0]) }
            #expect(request == .init(sessionID: "s1", audience: .author))
            #expect(metadata[first: "samtal-participant"] == "token")
            participant.close()
            let own = try await gateway.request("GET", "/v1/sessions/s1/questions?own=true")
            #expect(own.status == 200)
            #expect(gateway.chat.state.withLock { $0.listed } == [.init(sessionID: "s1", own: true)])
        }
    }

    @Test("there is room for so many followers, and a place is free again when one leaves")
    func bounded() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.followersOfSession = Bound("followers-of-session", most: 2)
        }
        try await TestGateway.run(configure: configure) { gateway in
            let (first, second) = (try await gateway.follow(), try await gateway.follow())
            _ = try await first.events(atLeast: 1)
            _ = try await second.events(atLeast: 1)
            let third = try await gateway.request("GET", "/v1/sessions/s1/events")
            #expect(third.status == 429 && third.reason == "TOO_MANY_FOLLOWERS")
            first.close()
            try await eventually("a place is free") { gateway.hub.followerCount == 1 }
            #expect(try await gateway.follow().events(atLeast: 1).count == 1)
        }
    }

    @Test("participants can't take the moderators' places")
    func moderatorsHavePlaces() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.feed.participants = Bound("participant-feeds", most: 1)
            $0.feed.moderators = Bound("moderator-feeds", most: 1)
        }
        try await TestGateway.run(configure: configure) { gateway in
            let path = "/v1/sessions/s1/events"
            let participant = [("Samtal-Participant", "token")]
            _ = try await gateway.follow(path, headers: participant).events(atLeast: 1)
            let second = try await gateway.request("GET", path, headers: participant)
            #expect(second.status == 429 && second.reason == "TOO_MANY_FOLLOWERS")
            let moderator = [("Authorization", "Bearer abc")]
            let follower = try await gateway.follow(path + "?audience=MODERATORS", headers: moderator)
            #expect(try await follower.events(atLeast: 1).map(\.name) == ["caught-up"])
            let other = try await gateway.request("GET", path + "?audience=MODERATORS", headers: moderator)
            #expect(other.status == 429 && other.reason == "TOO_MANY_FOLLOWERS")
        }
    }

    @Test("when the gateway stops, followers get a whole answer and can come back")
    func drains() async throws {
        try await TestGateway.run { gateway in
            let browser = try await gateway.follow()
            _ = try await browser.events(atLeast: 1)
            gateway.hub.stop()
            let whole = try await browser.wholeAnswer()
            #expect(!whole.text.contains("gone"))
            // Refused by the feed, or by the socket, which closes soon after.
            let late = try? await gateway.request("GET", "/v1/sessions/s1/events")
            #expect(late == nil || late?.status == 503)
        }
    }
}

/// A clock that a test sets.
final class ClockBox: Sendable {
    private let time: Mutex<Date>

    init(_ time: Date) { self.time = Mutex(time) }

    var now: Date { time.withLock { $0 } }

    func set(_ time: Date) { self.time.withLock { $0 = time } }
}
