import ChatCore
import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("The live feed")
struct WatchTests {
    @Test("begins with the present state, says when it has caught up, and goes on live")
    func presentThenLive() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let first = try await chat.ask("Ett?", in: id, as: author)
            let shown = try await chat.publish(try await chat.ask("Två?", in: id, as: author))
            var moderators = chat.watch(id, .moderators, as: try await chat.administrator()).makeAsyncIterator()
            var everyone = chat.watch(id).makeAsyncIterator()

            let all = try await moderators.untilCaughtUp()
            #expect(all.compactMap(\.session?.state) == [.open])
            #expect(all.compactMap(\.question) == [first, shown])
            #expect(all.map(\.sequence) == all.map(\.sequence).sorted())
            let some = try await everyone.untilCaughtUp()
            #expect(some.compactMap(\.question) == [shown])
            #expect(some.last?.sequence == all.last?.sequence)

            // Publishing and rejecting the first, in turn.
            let published = try await chat.publish(first)
            #expect(try await moderators.next()?.question == published)
            #expect(try await everyone.next()?.question == published)
            let rejected = try await chat.reject(first)
            #expect(try await moderators.next()?.question == rejected)
            #expect(try await everyone.next()?.change == .removedQuestionID(first.questionID))
            // Everyone hears nothing of a question that is only asked, or rejected while pending.
            let third = try await chat.ask("Tre?", in: id, as: author)
            #expect(try await moderators.next()?.question == third)
            let rejectedThird = try await chat.reject(third)
            #expect(try await moderators.next()?.question == rejectedThird)
            let answered = try await chat.answer(shown, "Ja.")
            #expect(try await moderators.next()?.question == answered)
            let last = try await everyone.next()
            #expect(last?.question == answered)
            let ended = try await chat.end(id)
            #expect(try await moderators.next()?.session == ended)
            let end = try await everyone.next()
            #expect(end?.session == ended)
            #expect(end?.sequence == (last?.sequence ?? 0) + 1)
        }
    }

    @Test("after a sequence comes only what changed since: each question once, as it is now")
    func coalescing() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let administrator = try await chat.administrator()
            let one = try await chat.ask("Ett?", in: id, as: author)
            let two = try await chat.ask("Två?", in: id, as: author)
            _ = try await chat.publish(two)
            var events = chat.watch(id, .moderators, as: administrator).makeAsyncIterator()
            let seen = try #require(try await events.untilCaughtUp().last?.position)
            _ = try await chat.publish(one)
            let rejectedTwo = try await chat.reject(two)
            let answeredOne = try await chat.answer(one, "Svar.")
            var resumed = chat.watch(id, after: seen, .moderators, as: administrator).makeAsyncIterator()
            #expect(try await resumed.untilCaughtUp().compactMap(\.question) == [rejectedTwo, answeredOne])
            var everyone = chat.watch(id, after: seen).makeAsyncIterator()
            let changes = try await everyone.untilCaughtUp().map(\.change)
            #expect(
                changes == [.removedQuestionID(two.questionID), .question(answeredOne), .caughtUp(true)])
            let position = try #require(FeedPosition(seen))
            func later(by count: Int64) -> String {
                FeedPosition(epoch: position.epoch, sequence: position.sequence + count).text
            }
            var nothing = chat.watch(id, after: later(by: 3)).makeAsyncIterator()
            #expect(try await nothing.untilCaughtUp().map(\.change) == [.caughtUp(true)])
            // Further than anything has come: never silence.
            var whole = chat.watch(id).makeAsyncIterator()
            let all = try await whole.untilCaughtUp().map(\.change)
            var beyond = chat.watch(id, after: later(by: 4)).makeAsyncIterator()
            #expect(try await beyond.untilCaughtUp().map(\.change) == [.reset(true)] + all)
        }
    }

    @Test("a long past comes whole, in batches")
    func longPast() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            var expected: [String] = []
            for number in 0..<250 {
                let question = try await chat.ask("\(number)", in: id, as: author)
                expected.append(question.questionID)
            }
            let administrator = try await chat.administrator()
            var events = chat.watch(id, .moderators, as: administrator).makeAsyncIterator()
            let past = try await events.untilCaughtUp()
            #expect(past.compactMap(\.question?.questionID) == expected)
            #expect(past.compactMap(\.session).count == 1)
        }
    }

    /// Readers that hang up and resume at odd moments, while questions are asked and moderated.
    @Test("resuming loses nothing and repeats nothing, while others ask and moderate")
    func resuming() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let administrator = try await chat.administrator()
            let isDone = Flag()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for seed in 1...3 {
                    tasks.addTask {
                        try await follow(id, in: chat, as: administrator, hangingUpEvery: seed * 5, until: isDone)
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { askers in
                    for asker in 0..<4 {
                        askers.addTask {
                            let author = try await chat.join(id)
                            for number in 0..<40 {
                                let question = try await chat.ask("\(asker) \(number)", in: id, as: author)
                                if number % 4 == 1 { _ = try await chat.publish(question) }
                                if number % 8 == 1 { _ = try await chat.reject(question) }
                            }
                        }
                    }
                    try await askers.waitForAll()
                }
                isDone.raise()
                // Something for those that wait.
                _ = try await chat.end(id)
                try await tasks.waitForAll()
            }
        }
    }

    private func follow(
        _ id: String, in chat: Chat, as administrator: CallOptions, hangingUpEvery count: Int,
        until isDone: Flag
    ) async throws {
        var (position, sequence) = ("", Int64(0))
        var known: [String: ChatV1.Question] = [:]
        var ended = false
        while !ended {
            var taken = 0
            for try await event in chat.watch(id, after: position, .moderators, as: administrator) {
                if event.change == .caughtUp(true) {
                    #expect(event.sequence >= sequence)
                } else {
                    #expect(event.sequence > sequence, "an event came twice")
                    (position, sequence) = (event.position, event.sequence)
                }
                if let question = event.question {
                    #expect(question.version > known[question.questionID]?.version ?? 0)
                    known[question.questionID] = question
                }
                if event.session?.state == .ended {
                    ended = true
                    break
                }
                taken += 1
                if taken % count == 0, !isDone.isRaised { break }
            }
        }
        let listed = try await chat.list(id, as: administrator)
        #expect(listed.count == 160)
        #expect(known == Dictionary(uniqueKeysWithValues: listed.map { ($0.questionID, $0) }))
    }

    @Test("a watcher that does not read is cut, and resumes without loss")
    func slowWatcher() async throws {
        var settings = try ChatSettings()
        settings.limits.changesPerWatcher = 8
        try await World.withChat(settings) { _, chat in
            let id = try await chat.session()
            let administrator = try await chat.administrator()
            var slow = chat.watch(id, .moderators, as: administrator).makeAsyncIterator()
            var seen = try await slow.untilCaughtUp().last?.position ?? ""
            let author = try await chat.join(id)
            let text = String(repeating: "x", count: 2_000)
            for _ in 0..<250 { _ = try await chat.ask(text, in: id, as: author) }
            var questions: Set<String> = []
            let ending = await status {
                while let event = try await slow.next() {
                    seen = event.position
                    if let question = event.question { questions.insert(question.questionID) }
                }
            }
            #expect(ending?.code == .outOfRange)
            #expect(ending?.reason == "RESUME")
            #expect(questions.count < 250)
            var resumed = chat.watch(id, after: seen, .moderators, as: administrator).makeAsyncIterator()
            let rest = try await resumed.untilCaughtUp().compactMap(\.question?.questionID)
            #expect(questions.isDisjoint(with: rest))
            #expect(questions.count + rest.count == 250)
        }
    }

    @Test("watchers are told to resume when the service drains, and nobody new is taken")
    func drain() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            chat.assembly.feed.drain()
            let ending = await status { while try await events.next() != nil {} }
            #expect(ending?.code == .outOfRange)
            #expect(ending?.reason == "RESUME")
            let late = await status { for try await _ in chat.watch(id) {} }
            #expect(late?.reason == "RESUME")
            try await world.eventually("no watcher is left") { chat.assembly.feed.watcherCount == 0 }
        }
    }

    @Test("a watcher that hangs up leaves nothing behind")
    func hangingUp() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            for try await event in chat.watch(id) where event.change == .caughtUp(true) {
                #expect(chat.assembly.feed.watcherCount == 1)
                break
            }
            try await world.eventually("the watcher is gone") { chat.assembly.feed.watcherCount == 0 }
        }
    }

    @Test("a session has room for a bounded number of watchers")
    func watcherLimit() async throws {
        var settings = try ChatSettings()
        settings.limits.watchersOfSession = 1
        try await World.withChat(settings) { _, chat in
            let id = try await chat.session()
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            let refusal = await status { for try await _ in chat.watch(id) {} }
            #expect(refusal?.code == .resourceExhausted)
            #expect(refusal?.reason == "WATCHER_LIMIT")
        }
    }
}
