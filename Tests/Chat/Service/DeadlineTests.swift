import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("At its time of erasure")
struct DeadlineTests {
    @Test("a session is invisible at once to everybody, also while retention is down", arguments: [false, true])
    func invisible(afterRestart: Bool) async throws {
        try await World.run { world in
            var id = ""
            var kept = ""
            var author = CallOptions()
            var question = ChatV1.Question()
            try await world.withChat { chat in
                id = try await chat.session()
                kept = try await chat.session()
                author = try await chat.join(id)
                question = try await chat.ask("Minns ni?", in: id, as: author, requestID: "request-1")
                var public_ = chat.watch(id).makeAsyncIterator()
                var moderators = chat.watch(id, .moderators, as: try await chat.administrator()).makeAsyncIterator()
                _ = try await public_.untilCaughtUp()
                _ = try await moderators.untilCaughtUp()
                let ended = try await chat.end(id)
                await world.retention.stop()

                world.clock.advance(to: try #require(ended.deleteTime?.date).addingTimeInterval(-0.001))
                #expect(try await chat.list(id, as: author) == [question])
                world.clock.advance(by: 0.001)
                if !afterRestart { try await expectGone(id, question, author, kept: kept, in: chat) }
                let endings = [
                    await status { while try await public_.next() != nil {} },
                    await status { while try await moderators.next() != nil {} },
                ]
                for ending in endings {
                    #expect(ending?.code == .notFound)
                    #expect(ending?.reason == "SESSION_NOT_FOUND")
                }
                // A clock that is set back does not bring it back.
                world.clock.set(World.start)
                if !afterRestart { try await expectGone(id, question, author, kept: kept, in: chat) }
            }
            guard afterRestart else { return }
            // Nor does a restart with the clock set back.
            try await world.withChat { chat in
                try await expectGone(id, question, author, kept: nil, in: chat)
                // Its rows can be erased all the same.
                let erased = try await chat.erase(id)
                #expect(erased.questions == 1)
            }
        }
    }

    private func expectGone(
        _ id: String, _ question: ChatV1.Question, _ author: CallOptions, kept: String?, in chat: Chat
    ) async throws {
        let administrator = try await chat.administrator()
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await chat.client.getSession(.init(sessionID: id)) },
            { _ = try await chat.client.openSession(.init(sessionID: id), options: administrator) },
            { _ = try await chat.client.endSession(.init(sessionID: id), options: administrator) },
            { _ = try await chat.join(id) },
            { _ = try await chat.ask("Minns ni?", in: id, as: author, requestID: "request-1") },
            { _ = try await chat.publish(question) },
            { _ = try await chat.reject(question) },
            { _ = try await chat.answer(question, "Nej.") },
            { _ = try await chat.list(id) },
            { _ = try await chat.list(id, as: administrator) },
            { _ = try await chat.list(id, as: author) },
            { for try await _ in chat.watch(id) {} },
            { for try await _ in chat.watch(id, .moderators, as: administrator) {} },
            { _ = try await chat.log(id) },
        ]
        for call in calls {
            let refusal = await status(of: call)
            #expect(refusal?.code == .notFound)
            #expect(refusal?.reason == "SESSION_NOT_FOUND")
        }
        guard let kept else { return }
        let listed = try await chat.client.listSessions(.init(), options: administrator)
        #expect(listed.sessions.map(\.sessionID) == [kept])
    }
}
