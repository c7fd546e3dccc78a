import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import Synchronization
import Testing

@Suite("Sessions over the socket")
struct SessionTests {
    @Test("a session is created in draft, opened, ended, and read by anyone")
    func life() async throws {
        try await World.withChat(ChatSettings(storeTag: "eu1")) { world, chat in
            let administrator = try await chat.administrator()
            let created = try await chat.client.createSession(
                ChatV1.CreateSessionRequest(title: "  Bolån och räntor  "), options: administrator)
            #expect(created.sessionID.wholeMatch(of: /eu1-[0-9a-z]{26}/) != nil)
            #expect(created.organisationID == Organisation.a)
            #expect(created.title == "Bolån och räntor")
            #expect(created.state == .draft)
            #expect(created.createTime?.date == World.start)
            #expect(created.openTime == nil && created.endTime == nil && created.deleteTime == nil)
            #expect(created.retentionDays == 7)

            world.clock.advance(by: 60)
            let named = ChatV1.OpenSessionRequest(sessionID: created.sessionID)
            let opened = try await chat.client.openSession(named, options: administrator)
            #expect(opened.state == .open)
            #expect(opened.openTime?.date == World.start.addingTimeInterval(60))
            world.clock.advance(by: 60)
            #expect(try await chat.client.openSession(named, options: administrator) == opened)

            let ended = try await chat.end(created.sessionID)
            #expect(ended.state == .ended)
            #expect(ended.endTime?.date == World.start.addingTimeInterval(120))
            #expect(ended.deleteTime?.date == World.start.addingTimeInterval(120 + 7 * 86_400))
            world.clock.advance(by: 60)
            #expect(try await chat.end(created.sessionID) == ended)
            #expect(
                try await chat.client.getSession(ChatV1.GetSessionRequest(sessionID: created.sessionID)) == ended)

            let reopening = await status { _ = try await chat.client.openSession(named, options: administrator) }
            #expect(reopening?.code == .failedPrecondition)
            #expect(reopening?.reason == "SESSION_ENDED")
        }
    }

    @Test("anybody with a session's id learns by name who is responsible for it, and identity is asked once")
    func controller() async throws {
        try await World.withChat { world, chat in
            let session = try await chat.session()
            for _ in 1...5 {
                #expect(
                    try await chat.client.getController(.init(sessionID: session))
                        == ChatV1.Controller(displayName: "Exempelredaktionen"))
            }
            #expect(world.identity.state.withLock { $0.calls } == 1)
            for id in ["none", "a-none"] {
                let unknown = await status { _ = try await chat.client.getController(.init(sessionID: id)) }
                #expect(unknown?.code == .notFound && unknown?.reason == "SESSION_NOT_FOUND")
            }
            let malformed = await status { _ = try await chat.client.getController(.init(sessionID: "../a")) }
            #expect(malformed?.code == .invalidArgument)
            // From the time of erasure on nobody learns whose it was.
            _ = try await chat.end(session)
            world.clock.advance(by: 8 * 86_400)
            let gone = await status { _ = try await chat.client.getController(.init(sessionID: session)) }
            #expect(gone?.code == .notFound)
            #expect(world.identity.state.withLock { $0.calls } == 1)
        }
    }

    @Test("while identity is away, who is responsible is UNAVAILABLE and names identity; all else goes on")
    func controllerAway() async throws {
        try await World.withChat { world, chat in
            let session = try await chat.session()
            await world.identity.stop()
            let away = await status { _ = try await chat.client.getController(.init(sessionID: session)) }
            #expect(away?.code == .unavailable && away?.message.contains("identity") == true)
            _ = try await chat.ask("Varför?", in: session, as: try await chat.join(session))
            try await world.identity.start()
            try await world.eventually("it is answered again") {
                (try? await chat.client.getController(.init(sessionID: session)).displayName) == "Exempelredaktionen"
            }
        }
    }

    @Test("without an agreement no session can be created, and the reason is retention's")
    func noAgreement() async throws {
        try await World.withChat { _, chat in
            let administrator = try await chat.administrator(of: Organisation.withoutAgreement)
            let refusal = await status {
                _ = try await chat.client.createSession(
                    ChatV1.CreateSessionRequest(title: "Alla frågor"), options: administrator)
            }
            #expect(refusal?.code == .failedPrecondition)
            #expect(refusal?.reason == "NO_AGREEMENT")
        }
    }

    @Test("another organisation's session can't be told from one that is not there")
    func otherOrganisation() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let participant = try await chat.join(id)
            let question = try await chat.ask("Hur lång är kön?", in: id, as: participant)
            let other = try await chat.administrator(of: Organisation.b)
            for (sessionID, questionID) in [(id, question.questionID), ("a-unknown", "unknown")] {
                let calls: [@Sendable () async throws -> Void] = [
                    { _ = try await chat.client.openSession(.init(sessionID: sessionID), options: other) },
                    { _ = try await chat.client.endSession(.init(sessionID: sessionID), options: other) },
                    {
                        _ = try await chat.client.publishQuestion(
                            .init(sessionID: sessionID, questionID: questionID), options: other)
                    },
                    {
                        _ = try await chat.client.rejectQuestion(
                            .init(sessionID: sessionID, questionID: questionID), options: other)
                    },
                    {
                        _ = try await chat.client.answerQuestion(
                            .init(sessionID: sessionID, questionID: questionID, text: "svar", requestID: "request-1"),
                            options: other)
                    },
                    {
                        for try await _ in chat.watch(sessionID, .moderators, as: other) {}
                    },
                ]
                for call in calls {
                    let refusal = await status(of: call)
                    #expect(refusal?.code == .notFound)
                    #expect(refusal?.reason == "SESSION_NOT_FOUND")
                    #expect(refusal?.message == "session: not found")
                }
            }
            #expect(try await chat.list(id, as: chat.administrator()).map(\.state) == [.pending])
        }
    }

    @Test("sessions are listed newest first, page by page, each organisation's apart")
    func listing() async throws {
        try await World.withChat { world, chat in
            var created: [String] = []
            for number in 1...7 {
                // Some at the same moment.
                world.clock.advance(by: number % 2 == 0 ? 1 : 0)
                created.append(try await chat.session(title: "Session \(number)", opened: false))
            }
            let other = try await chat.administrator(of: Organisation.b)
            _ = try await chat.client.createSession(.init(title: "Något annat"), options: other)

            var listed: [ChatV1.Session] = []
            var token = ""
            var pages = 0
            repeat {
                let page = try await chat.client.listSessions(
                    .init(pageSize: 3, pageToken: token), options: chat.administrator())
                #expect(page.sessions.count <= 3)
                listed += page.sessions
                token = page.nextPageToken
                pages += 1
            } while !token.isEmpty
            #expect(pages == 3)
            #expect(Set(listed.map(\.sessionID)) == Set(created))
            #expect(listed.count == created.count)
            let times = listed.compactMap(\.createTime?.date)
            #expect(times == times.sorted(by: >))
            let others = try await chat.client.listSessions(.init(), options: other).sessions
            #expect(others.map(\.title) == ["Något annat"])
        }
    }

    @Test("a session that nobody ends is ended after its days, from the moment it should have been")
    func overdue() async throws {
        try await World.withChat(ChatSettings(sessionDays: 3)) { world, chat in
            let id = try await chat.session()
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            world.clock.advance(by: 3 * 86_400 - 1)
            #expect(try await chat.client.getSession(.init(sessionID: id)).state == .open)
            world.clock.advance(by: 100)
            let event = try #require(try await events.next())
            #expect(event.session?.state == .ended)
            let due = World.start.addingTimeInterval(3 * 86_400)
            #expect(event.session?.endTime?.date == due)
            #expect(event.session?.deleteTime?.date == due.addingTimeInterval(7 * 86_400))
        }
    }

    @Test("everything is there after a restart, and a participant's token still holds")
    func restart() async throws {
        try await World.run { world in
            var id = ""
            var participant = CallOptions()
            var question = ChatV1.Question()
            try await world.withChat { chat in
                id = try await chat.session()
                participant = try await chat.join(id, name: "Åsa")
                question = try await chat.ask("Vem bestämmer?", in: id, as: participant, requestID: "request-1")
                question = try await chat.answer(question, "Styrelsen.", by: "Bo Ek")
            }
            try await world.withChat { chat in
                #expect(try await chat.list(id) == [question])
                let again = try await chat.ask("Vem bestämmer?", in: id, as: participant, requestID: "request-1")
                #expect(again == question)
                let next = try await chat.ask("Och sedan?", in: id, as: participant)
                #expect(next.authorName == "Åsa")
                #expect(try await chat.list(id, as: participant) == [question, next])
            }
        }
    }
}
