import Contracts
import Foundation
import GatewayCore
import Privacy
import Synchronization
import Testing

extension TestGateway {
    /// In the feed that chat has now.
    func position(_ sequence: Int64) -> String {
        FeedPosition(epoch: chat.state.withLock { $0.epoch }, sequence: sequence).text
    }
}

extension HTTPConnection.Event {
    /// What is in its position; nil without one.
    var sequence: Int64? { FeedPosition(id)?.sequence }
}

@Suite("The live feed, when chat's store was restored")
struct FeedEpochTests {
    private static let feed = "/v1/sessions/s1/events"

    @Test("a browser whose position is of another epoch, ahead, or no position at all gets everything, and is told so")
    func stalePositions() async throws {
        try await TestGateway.run { gateway in
            for number in 1...3 { gateway.chat.addQuestion("q\(number)") }
            gateway.chat.add(.removedQuestionID("q2"))
            let stale = [
                FeedPosition(epoch: .random(), sequence: 2).text, FeedPosition(epoch: .random(), sequence: 900).text,
                gateway.position(5), FeedPosition.unknown.text, "4", "x", "-", String(repeating: "f", count: 3000),
            ]
            for id in stale {
                let browser = try await gateway.follow(headers: [("Last-Event-ID", id)])
                let events = try await browser.events(atLeast: 4)
                #expect(events.map(\.name) == ["reset", "question", "question", "caught-up"], "\(id)")
                #expect(events.map(\.sequence) == [nil, 1, 3, 4], "\(id)")
                browser.close()
            }
            let address = try await gateway.follow("\(Self.feed)?after=\(stale[0])")
            #expect(try await address.events(atLeast: 1).first?.name == "reset")
            address.close()
        }
    }

    @Test("who follows when it is restored is let go, comes back with a position ahead, and sees what there is now")
    func restored() async throws {
        try await TestGateway.run { gateway in
            for number in 1...3 { gateway.chat.addQuestion("q\(number)") }
            let browser = try await gateway.follow()
            let last = try #require(try await browser.events(atLeast: 4).last?.id)
            gateway.chat.restore(to: 1)
            // Its stream ends as a whole answer, after which a browser comes back by itself.
            #expect(try await !browser.wholeAnswer().text.contains("gone"))
            for text in ["Nytt ett", "Nytt två", "Nytt tre", "Nytt fyra"] { gateway.chat.addQuestion(text, text) }
            let again = try await gateway.follow(headers: [("Last-Event-ID", last)])
            let events = try await again.events(atLeast: 7)
            #expect(events.map(\.name) == ["reset"] + Array(repeating: "question", count: 5) + ["caught-up"])
            #expect(events[1].data.contains("q1") && events[2].data.contains("Nytt ett"))
            // From there it goes on as ever.
            let seen = try #require(events.last?.id)
            gateway.chat.addQuestion("q9")
            #expect(try await again.events(atLeast: 8).last?.sequence == 6)
            let resumed = try await gateway.follow(headers: [("Last-Event-ID", seen)])
            #expect(try await resumed.events(atLeast: 2).map(\.sequence) == [6, 6])
            for connection in [again, resumed] { connection.close() }
        }
    }

    @Test("moderators and authors, who have a watch of their own, are told by chat")
    func ownFeeds() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q1")
            for (audience, token) in [
                ("MODERATORS", ("Authorization", "Bearer a")), ("AUTHOR", ("Samtal-Participant", "a")),
            ] {
                for id in ["12", FeedPosition(epoch: .random(), sequence: 1).text] {
                    let follower = try await gateway.follow(
                        "\(Self.feed)?audience=\(audience)", headers: [token, ("Last-Event-ID", id)])
                    let events = try await follower.events(atLeast: 3)
                    #expect(events.map(\.name) == ["reset", "question", "caught-up"])
                    #expect(events.map(\.sequence) == [nil, 1, 1])
                    follower.close()
                }
            }
        }
    }
}
