import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("Questions over the socket")
struct QuestionTests {
    @Test("a question is pending until a moderator publishes it, and gone from public view when it is rejected")
    func moderation() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            let author = try await chat.join(id, name: "Greta")
            let other = try await chat.join(id)
            let administrator = try await chat.administrator()
            world.clock.advance(by: 5)
            let asked = try await chat.ask("Kommer\r\nräntan att sänkas?", in: id, as: author)
            #expect(asked.state == .pending)
            #expect(asked.text == "Kommer\nräntan att sänkas?")
            #expect(asked.authorName == "Greta")
            #expect(asked.askTime?.date == World.start.addingTimeInterval(5))
            #expect(asked.version == 1)
            #expect(try await chat.list(id, as: administrator) == [asked])
            #expect(try await chat.list(id, as: author) == [asked])
            #expect(try await chat.list(id, as: other).isEmpty)
            #expect(try await chat.list(id).isEmpty)

            let published = try await chat.publish(asked)
            #expect(published.state == .published)
            #expect(published.version == 2)
            #expect(published.text == asked.text)
            #expect(try await chat.publish(asked) == published)
            for viewer in [administrator, author, other, CallOptions()] {
                #expect(try await chat.list(id, as: viewer) == [published])
            }

            let rejected = try await chat.reject(asked)
            #expect(rejected.state == .rejected)
            #expect(rejected.version == 3)
            #expect(try await chat.reject(asked) == rejected)
            #expect(try await chat.list(id, as: administrator) == [rejected])
            #expect(try await chat.list(id, as: author) == [rejected])
            #expect(try await chat.list(id, as: other).isEmpty)
            #expect(try await chat.list(id).isEmpty)
        }
    }

    @Test("an answer publishes a pending question, adds up, and is refused by a rejected one")
    func answers() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let asked = try await chat.ask("Varför?", in: id, as: author)
            let first = try await chat.answer(asked, "Därför.", by: "Bo Ek")
            #expect(first.state == .published)
            #expect(first.answers.map(\.text) == ["Därför."])
            #expect(first.answers.map(\.hostName) == ["Bo Ek"])
            let second = try await chat.answer(asked, "Och därför.")
            #expect(second.answers.map(\.text) == ["Därför.", "Och därför."])
            #expect(second.version == 3)
            #expect(try await chat.list(id) == [second])
            _ = try await chat.reject(asked)
            let refusal = await status { _ = try await chat.answer(asked, "För sent.") }
            #expect(refusal?.code == .failedPrecondition)
            #expect(refusal?.reason == "QUESTION_REJECTED")
        }
    }

    @Test("an administrator of another organisation sees what anybody sees")
    func otherOrganisation() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let shown = try await chat.publish(try await chat.ask("Ett?", in: id, as: author))
            _ = try await chat.ask("Två?", in: id, as: author)
            #expect(try await chat.list(id, as: chat.administrator(of: Organisation.b)) == [shown])
        }
    }

    @Test("the same request asks once, also when it is made many times at once")
    func idempotence() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let questions = try await withThrowingTaskGroup(of: ChatV1.Question.self) { tasks in
                for attempt in 0..<40 {
                    tasks.addTask {
                        try await chat.ask("Försök \(attempt)", in: id, as: author, requestID: "the-same-request")
                    }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(questions.map(\.questionID)).count == 1)
            #expect(Set(questions.map(\.text)).count == 1)
            let administrator = try await chat.administrator()
            #expect(try await chat.list(id, as: administrator).count == 1)
            // What became of it since is what comes back.
            let published = try await chat.publish(questions[0])
            #expect(try await chat.ask("?", in: id, as: author, requestID: "the-same-request") == published)
            // The request is the participant's own.
            let other = try await chat.join(id)
            _ = try await chat.ask("Min", in: id, as: other, requestID: "the-same-request")
            #expect(try await chat.list(id, as: administrator).count == 2)
        }
    }

    @Test("the same request answers once, also when it is made many times at once")
    func answerIdempotence() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let question = try await chat.ask("Varför?", in: id, as: author)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<20 {
                    tasks.addTask { _ = try await chat.answer(question, "Därför.", requestID: "the-same-request") }
                }
                try await tasks.waitForAll()
            }
            let answered = try #require(try await chat.list(id).first)
            #expect(answered.answers.count == 1)
            #expect(answered.version == 2)
            // The request that answered one question does not answer another.
            let another = try await chat.ask("Var?", in: id, as: author)
            #expect(try await chat.answer(another, "Här.", requestID: "the-same-request") == answered)
            // Another administrator's request is another.
            let colleague = try await chat.administrator(id: "adm-2")
            let second = try await chat.client.answerQuestion(
                .init(
                    sessionID: id, questionID: question.questionID, text: "Just därför.",
                    requestID: "the-same-request"), options: colleague)
            #expect(second.answers.count == 2)
        }
    }

    @Test("an ended session takes no question, but gives back what was asked before, and moderation goes on")
    func afterTheEnd() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session(opened: false)
            let author = try await chat.join(id)
            let question = try await chat.ask("I förväg?", in: id, as: author, requestID: "request-1")
            _ = try await chat.end(id)
            let refusal = await status { _ = try await chat.ask("För sent?", in: id, as: author) }
            #expect(refusal?.code == .failedPrecondition)
            #expect(refusal?.reason == "SESSION_ENDED")
            #expect(try await chat.ask("I förväg?", in: id, as: author, requestID: "request-1") == question)
            #expect(try await chat.publish(question).state == .published)
        }
    }

    @Test("a participant and a session have a bound, exactly, also after a restart")
    func bounds() async throws {
        let settings = try ChatSettings(questionsPerSession: 5, questionsPerParticipant: 3)
        try await World.run { world in
            var id = ""
            var author = CallOptions()
            try await world.withChat(settings) { chat in
                id = try await chat.session()
                author = try await chat.join(id)
                _ = try await chat.ask("1", in: id, as: author)
                // Repeating does not count.
                for _ in 0..<5 { _ = try await chat.ask("2", in: id, as: author, requestID: "request-2") }
            }
            try await world.withChat(settings) { chat in
                _ = try await chat.ask("3", in: id, as: author)
                let own = await status { _ = try await chat.ask("4", in: id, as: author) }
                #expect(own?.code == .resourceExhausted)
                #expect(own?.reason == "PARTICIPANT_LIMIT")
                _ = try await chat.ask("2", in: id, as: author, requestID: "request-2")
                let other = try await chat.join(id)
                _ = try await chat.ask("4", in: id, as: other)
                _ = try await chat.ask("5", in: id, as: other)
                let all = await status { _ = try await chat.ask("6", in: id, as: other) }
                #expect(all?.code == .resourceExhausted)
                #expect(all?.reason == "SESSION_FULL")
                #expect(try await chat.list(id, as: chat.administrator()).map(\.text) == ["1", "2", "3", "4", "5"])
            }
        }
    }

    @Test("questions asked at once are all there, once each, in one order for everybody")
    func concurrency() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for participant in 0..<10 {
                    tasks.addTask {
                        let author = try await chat.join(id, name: "Nr \(participant)")
                        for question in 0..<20 { _ = try await chat.ask("\(question)", in: id, as: author) }
                    }
                }
                try await tasks.waitForAll()
            }
            let administrator = try await chat.administrator()
            let questions = try await chat.list(id, as: administrator, pageSize: 7)
            #expect(questions.count == 200)
            #expect(Set(questions.map(\.questionID)).count == 200)
            for participant in 0..<10 {
                let own = questions.filter { $0.authorName == "Nr \(participant)" }
                #expect(own.map(\.text) == (0..<20).map { "\($0)" })
            }
            let log = try await chat.log(id)
            #expect(log.count == 201)
            #expect(log.dropFirst().map(\.entry) == questions.map { .question($0) })
            if case .session(let session) = log[0].entry {
                #expect(session.sessionID == id)
            } else {
                Issue.record("the log begins with the session")
            }
        }
    }

    @Test("pages of a participant's view hold their own questions and the published ones, in the order asked")
    func participantPages() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let other = try await chat.join(id)
            var expected: [String] = []
            for number in 0..<12 {
                let isOwn = number % 3 == 0
                let question = try await chat.ask("\(number)", in: id, as: isOwn ? author : other)
                if number % 4 == 1 || number == 6 { _ = try await chat.publish(question) }
                if isOwn || number % 4 == 1 { expected.append("\(number)") }
            }
            #expect(try await chat.list(id, as: author, pageSize: 2).map(\.text) == expected)
        }
    }
}
