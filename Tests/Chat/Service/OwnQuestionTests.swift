import ChatCore
import ChatServer
import Contracts
import Foundation
import RPC
import Testing

@Suite("A participant's own questions")
struct OwnQuestionTests {
    @Test("are listed alone, whatever became of them, in pages, in the order asked")
    func listed() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id, name: "Greta")
            let other = try await chat.join(id)
            var own: [ChatV1.Question] = []
            for number in 0..<9 {
                var question = try await chat.ask("\(number)", in: id, as: author)
                let others = try await chat.ask("annans \(number)", in: id, as: other)
                _ = try await chat.publish(others)
                if number % 3 == 1 { question = try await chat.publish(question) }
                if number % 3 == 2 { question = try await chat.reject(question) }
                own.append(question)
            }
            #expect(try await chat.listOwn(id, as: author) == own)
            #expect(try await chat.listOwn(id, as: author, pageSize: 2) == own)
            #expect(try await chat.listOwn(id, as: try await chat.join(id, name: "Greta")).isEmpty)
        }
    }

    @Test("are a participant's to ask for, of their own session, and nobody else's")
    func refusals() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let elsewhere = try await chat.join(try await chat.session())
            let callers = [
                ("TOKEN_REQUIRED", CallOptions()), ("PRINCIPAL_NOT_ALLOWED", try await chat.administrator()),
                ("TOKEN_OTHER_SESSION", elsewhere),
            ]
            for (reason, caller) in callers {
                #expect(await status { _ = try await chat.listOwn(id, as: caller) }?.reason == reason)
                let followed = await status { for try await _ in chat.watch(id, .author, as: caller) {} }
                #expect(followed?.reason == reason)
            }
        }
    }

    @Test("are followed live: what they are now, then each change, and nothing of anybody else's")
    func followed() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let other = try await chat.join(id)
            let first = try await chat.ask("Ett?", in: id, as: author)
            let others = try await chat.ask("Annans?", in: id, as: other)
            let rejected = try await chat.reject(try await chat.ask("Två?", in: id, as: author))
            var events = chat.watch(id, .author, as: author).makeAsyncIterator()
            let present = try await events.untilCaughtUp()
            #expect(present.dropLast().map(\.change) == [.question(first), .question(rejected)])
            let seen = try #require(present.last?.position)

            // The other's, and the session's own change, are in between; what comes next is the author's.
            _ = try await chat.publish(others)
            let published = try await chat.publish(first)
            #expect(try await events.next()?.question == published)
            _ = try await chat.reject(others)
            let third = try await chat.ask("Tre?", in: id, as: author)
            #expect(try await events.next()?.question == third)
            _ = try await chat.end(id)
            let thirdRejected = try await chat.reject(third)
            #expect(try await events.next()?.question == thirdRejected)

            var resumed = chat.watch(id, after: seen, .author, as: author).makeAsyncIterator()
            let missed = try await resumed.untilCaughtUp().dropLast().map(\.change)
            #expect(missed == [.question(published), .question(thirdRejected)])
            var theirs = chat.watch(id, .author, as: other).makeAsyncIterator()
            #expect(try await theirs.untilCaughtUp().compactMap(\.question?.text) == ["Annans?"])
        }
    }

    @Test("are followed by a bounded number of pages of one participant, which keep nobody else's out")
    func watcherBound() async throws {
        var settings = try ChatSettings()
        settings.limits.watchersOfParticipant = 2
        try await World.withChat(settings) { world, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            var pages = [chat.watch(id, .author, as: author), chat.watch(id, .author, as: author)]
                .map { $0.makeAsyncIterator() }
            for index in pages.indices { _ = try await pages[index].untilCaughtUp() }
            let third = await status { for try await _ in chat.watch(id, .author, as: author) {} }
            #expect(third?.reason == "WATCHER_LIMIT")
            var other = chat.watch(id, .author, as: try await chat.join(id)).makeAsyncIterator()
            #expect(try await other.untilCaughtUp().count == 1)
            pages.removeAll()
            try await world.eventually("the author's places are free again") {
                chat.assembly.feed.watcherCount == 1
            }
            var again = chat.watch(id, .author, as: author).makeAsyncIterator()
            #expect(try await again.untilCaughtUp().count == 1)
        }
    }

    /// The time of the quickest of many calls, so that a busy machine does not decide.
    @Test("cost the same to list and to follow, however many others ask and have published")
    func growth() async throws {
        try await World.withChat(try ChatSettings(questionsPerParticipant: 1_000)) { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            for number in 0..<40 { _ = try await chat.ask("\(number)", in: id, as: author) }
            try await fill(id, of: chat, participants: 1)
            let few = try await quickest(id, of: chat, as: author)
            try await fill(id, of: chat, participants: 30)
            let many = try await quickest(id, of: chat, as: author)
            #expect(many.list < few.list * 4, "31 times the others' questions: \(few.list), \(many.list)")
            #expect(many.follow < few.follow * 4, "31 times the others' questions: \(few.follow), \(many.follow)")
        }
    }

    /// 200 questions by each of so many participants, some of them published.
    private func fill(_ id: String, of chat: Chat, participants: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<participants {
                tasks.addTask {
                    let other = try await chat.join(id)
                    for number in 0..<200 {
                        let question = try await chat.ask("annans \(number)", in: id, as: other)
                        if number % 20 == 0 { _ = try await chat.publish(question) }
                    }
                }
            }
            try await tasks.waitForAll()
        }
    }

    private func quickest(
        _ id: String, of chat: Chat, as author: CallOptions
    ) async throws -> (list: Duration, follow: Duration) {
        var quickest = (list: Duration.seconds(60), follow: Duration.seconds(60))
        for _ in 0..<20 {
            let began = ContinuousClock.now
            #expect(try await chat.listOwn(id, as: author, pageSize: 200).count == 40)
            let listed = ContinuousClock.now
            var events = chat.watch(id, .author, as: author).makeAsyncIterator()
            #expect(try await events.untilCaughtUp().count == 41)
            quickest.list = min(quickest.list, listed - began)
            quickest.follow = min(quickest.follow, ContinuousClock.now - listed)
        }
        return quickest
    }
}
