import ChatCore
import ChatServer
import Contracts
import Foundation
import GRDB
import Privacy
import RPC
import Synchronization
import Testing

@Suite("Deleting a question")
struct DeletionTests {
    private func delete(_ question: ChatV1.Question, of chat: Chat, as options: CallOptions) async throws {
        _ = try await chat.client.deleteQuestion(
            ChatV1.DeleteQuestionRequest(sessionID: question.sessionID, questionID: question.questionID),
            options: options)
    }

    private static func settings() throws -> ChatSettings {
        var settings = try ChatSettings()
        settings.keyChangeDelay = .zero
        return settings
    }

    @Test("is gone at once for everybody, who are told so, and asking for it again changes nothing")
    func gone() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let question = try await chat.publish(try await chat.ask("Ta bort mig?", in: id, as: author))
            let kept = try await chat.ask("Kvar?", in: id, as: author)
            var feeds = [
                chat.watch(id).makeAsyncIterator(),
                chat.watch(id, .moderators, as: try await chat.administrator()).makeAsyncIterator(),
                chat.watch(id, .author, as: author).makeAsyncIterator(),
            ]
            for index in feeds.indices { _ = try await feeds[index].untilCaughtUp() }
            try await delete(question, of: chat, as: author)
            for index in feeds.indices {
                #expect(try await feeds[index].next()?.change == .removedQuestionID(question.questionID))
            }
            #expect(try await chat.list(id).isEmpty)
            #expect(try await chat.list(id, as: chat.administrator()) == [kept])
            #expect(try await chat.listOwn(id, as: author) == [kept])
            for caller in [author, try await chat.administrator()] {
                try await delete(question, of: chat, as: caller)
            }
            // Whoever was away is told, too.
            var now = chat.watch(id).makeAsyncIterator()
            let last = try #require(FeedPosition(try await now.untilCaughtUp().last?.position ?? ""))
            let early = FeedPosition(epoch: last.epoch, sequence: 3).text
            var resumed = chat.watch(id, after: early).makeAsyncIterator()
            let missed = try await resumed.untilCaughtUp().map(\.change)
            #expect(missed.contains(.removedQuestionID(question.questionID)))
            _ = try await chat.end(id)
            try await delete(kept, of: chat, as: author)
            #expect(try await chat.log(id).count == 1)
            #expect(try await chat.erase(id).questions == 2)
        }
    }

    @Test("is for its author and for the organisation's administrators, and for nobody else")
    func allowed() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let question = try await chat.ask("Min?", in: id, as: try await chat.join(id))
            let callers = [
                ("QUESTION_NOT_FOUND", try await chat.join(id)), ("TOKEN_REQUIRED", CallOptions()),
                ("SESSION_NOT_FOUND", try await chat.administrator(of: Organisation.b)),
                ("TOKEN_OTHER_SESSION", try await chat.join(try await chat.session())),
            ]
            for (reason, caller) in callers {
                let refusal = await status { try await delete(question, of: chat, as: caller) }
                #expect(refusal?.reason == reason)
            }
            #expect(try await chat.list(id, as: chat.administrator()) == [question])
            try await delete(question, of: chat, as: try await chat.administrator())
            #expect(try await chat.list(id, as: chat.administrator()).isEmpty)
        }
    }

    @Test("changes the session's key soon after: nothing sealed under the old one is left, and everything goes on")
    func keyChanged() async throws {
        try await World.run { world in
            var id = ""
            var author = CallOptions()
            var kept: [ChatV1.Question] = []
            try await world.withChat(try Self.settings()) { (chat) async throws in
                id = try await chat.session(title: "Titeln")
                author = try await chat.join(id, name: "Ada")
                let question = try await chat.ask("Ta bort mig?", in: id, as: author)
                for number in 0..<250 { kept.append(try await chat.ask("Kvar \(number)?", in: id, as: author)) }
                kept[0] = try await chat.answer(kept[0], "Ja.", by: "Bo")
                var events = chat.watch(id, .moderators, as: try await chat.administrator()).makeAsyncIterator()
                _ = try await events.untilCaughtUp()
                let sealed = try await sealedTexts(in: world, of: id)
                #expect(sealed.count > 500)
                let oldKey = try #require(world.retention.state.withLock { $0.keys[id] })

                try await delete(question, of: chat, as: author)
                try await world.eventually("the key is changed") {
                    world.retention.state.withLock { $0.keyVersions[id] == 2 }
                }
                try await world.eventually("nothing that it sealed is left") {
                    let isLeft = try await world.filesHold(anyOf: sealed)
                    return !isLeft
                }
                #expect(world.retention.state.withLock { $0.keys[id]?.bytes } != oldKey.bytes)

                #expect(try await events.next()?.change == .removedQuestionID(question.questionID))
                let published = try await chat.publish(kept[1])
                kept[1] = published
                #expect(try await events.next()?.question == published)
                kept.append(try await chat.ask("Ny?", in: id, as: author))
                #expect(try await events.next()?.question == kept.last)
                #expect(try await chat.list(id, as: chat.administrator(), pageSize: 100) == kept)
            }
            try await world.withChat(try Self.settings()) { (chat) async throws in
                #expect(try await chat.listOwn(id, as: author, pageSize: 100) == kept)
                #expect(try await chat.client.getSession(.init(sessionID: id)).title == "Titeln")
                #expect(try await chat.log(id).count == kept.count + 1)
            }
        }
    }

    @Test("that retention can't finish is read with the next key, also after a restart, and finished when it can")
    func unfinished() async throws {
        try await World.run { world in
            var id = ""
            var kept = ChatV1.Question()
            world.retention.state.withLock { $0.refusesToFinish = true }
            try await world.withChat(try Self.settings()) { (chat) async throws in
                id = try await chat.session()
                let author = try await chat.join(id)
                kept = try await chat.ask("Kvar?", in: id, as: author)
                try await delete(try await chat.ask("Bort?", in: id, as: author), of: chat, as: author)
                try await world.eventually("the next key is in use") {
                    world.retention.state.withLock { $0.nextKeys[id] != nil }
                }
                #expect(try await chat.list(id, as: chat.administrator()) == [kept])
            }
            try await world.withChat(try Self.settings()) { (chat) async throws in
                #expect(try await chat.list(id, as: chat.administrator()) == [kept])
                #expect(world.retention.state.withLock { $0.keyVersions[id] } == 1)
                world.retention.state.withLock { $0.refusesToFinish = false }
                try await world.eventually("the old key is destroyed") {
                    world.retention.state.withLock { $0.keyVersions[id] == 2 && $0.nextKeys[id] == nil }
                }
                #expect(try await chat.list(id, as: chat.administrator()) == [kept])
            }
        }
    }

    /// Everything of a session that is sealed under its content key, as it is stored.
    private func sealedTexts(in world: World, of id: String) async throws -> [[UInt8]] {
        let copy = try world.copyOfFiles()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let database = try DatabaseQueue(path: "\(copy)/sessions/\(id).sqlite")
        return try await database.read { db in
            try Data.fetchAll(
                db,
                sql: """
                    SELECT title FROM session UNION ALL SELECT text FROM question
                    UNION ALL SELECT author_name FROM question UNION ALL SELECT text FROM answer
                    """)
        }.map { [UInt8]($0) }
    }
}
