import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import Synchronization
import Testing

@Suite("With and without retention")
struct RetentionTests {
    @Test("with retention down, sessions in memory go on and none can be created")
    func down() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            await world.retention.stop()

            let refusal = await status { _ = try await chat.session() }
            #expect(refusal?.code == .unavailable)
            #expect(refusal?.reason == "NEIGHBOUR_UNAVAILABLE")
            #expect(refusal?.message.contains("retention") == true)
            let question = try await chat.publish(try await chat.ask("Går det?", in: id, as: author))
            #expect(try await events.next()?.question == question)
            #expect(try await chat.list(id) == [question])
            _ = try await chat.join(id)
            #expect(try await chat.end(id).state == .ended)

            try await world.retention.start()
            try await world.eventually("retention hears of the end") {
                world.retention.state.withLock { $0.ends[id]?.isEmpty == false }
            }
        }
    }

    @Test("that an organisation has as many sessions as it may is said as retention says it, and leaves nothing")
    func full() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            world.retention.state.withLock { $0.isFull = true }
            let refusal = await status { _ = try await chat.session() }
            #expect(refusal?.code == .resourceExhausted)
            #expect(refusal?.reason == "SESSION_LIMIT")
            let listed = try await chat.client.listSessions(.init(), options: chat.administrator())
            #expect(listed.sessions.map(\.sessionID) == [id])
        }
    }

    @Test("after a restart with retention down a session is unavailable, not lost; with it up again it is there")
    func restart() async throws {
        try await World.run { world in
            var id = ""
            var author = CallOptions()
            try await world.withChat { chat in
                id = try await chat.session()
                author = try await chat.join(id)
                _ = try await chat.ask("Kvar?", in: id, as: author)
            }
            await world.retention.stop()
            try await world.withChat { chat in
                let calls: [@Sendable () async throws -> Void] = [
                    { [id] in _ = try await chat.client.getSession(.init(sessionID: id)) },
                    { [id, author] in _ = try await chat.ask("Nu?", in: id, as: author) },
                    { _ = try await chat.client.listSessions(.init(), options: chat.administrator()) },
                ]
                for call in calls {
                    let refusal = await status(of: call)
                    #expect(refusal?.code == .unavailable)
                    #expect(refusal?.reason == "NEIGHBOUR_UNAVAILABLE")
                }
                try await world.retention.start()
                try await world.eventually("the session is there again") {
                    await status { _ = try await chat.client.getSession(.init(sessionID: id)) } == nil
                }
                #expect(try await chat.list(id, as: chat.administrator()).map(\.text) == ["Kvar?"])
            }
        }
    }

    @Test("a key that many wait for is fetched once")
    func singleFlight() async throws {
        try await World.run { world in
            var id = ""
            try await world.withChat { chat in id = try await chat.session() }
            try await world.withChat { chat in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<50 {
                        tasks.addTask { [id] in _ = try await chat.client.getSession(.init(sessionID: id)) }
                    }
                    try await tasks.waitForAll()
                }
                _ = try await chat.client.getSession(.init(sessionID: id))
                #expect(world.retention.state.withLock { $0.keyFetches } == 1)
            }
        }
    }

    @Test("a session whose key is destroyed does not exist for anybody")
    func destroyedKey() async throws {
        try await World.run { world in
            var id = ""
            var kept = ""
            var author = CallOptions()
            try await world.withChat { chat in
                id = try await chat.session()
                kept = try await chat.session()
                author = try await chat.join(id)
            }
            world.retention.destroyKey(of: id)
            try await world.withChat { chat in
                let administrator = try await chat.administrator()
                let asking = await status { _ = try await chat.ask("Hej?", in: id, as: author) }
                let reading = await status { _ = try await chat.client.getSession(.init(sessionID: id)) }
                let ending = await status { _ = try await chat.end(id) }
                for refusal in [asking, reading, ending] {
                    #expect(refusal?.code == .notFound)
                    #expect(refusal?.reason == "SESSION_NOT_FOUND")
                }
                let listed = try await chat.client.listSessions(.init(), options: administrator)
                #expect(listed.sessions.map(\.sessionID) == [kept])
            }
        }
    }

    @Test("the end is reported until retention acknowledges it, across a restart, with the time it ended")
    func endReport() async throws {
        try await World.run { world in
            var id = ""
            try await world.withChat { chat in
                id = try await chat.session()
                await world.retention.stop()
                world.clock.advance(by: 100)
                _ = try await chat.end(id)
            }
            world.clock.advance(by: 1_000)
            try await world.retention.start()
            try await world.withChat { chat in
                try await chat.endAnother(in: world)
                #expect(
                    world.retention.state.withLock { $0.ends[id]?.first } == World.start.addingTimeInterval(100))
            }
            // Acknowledged, so not reported again.
            let reports = world.retention.state.withLock { $0.ends[id]?.count }
            try await world.withChat { chat in try await chat.endAnother(in: world) }
            #expect(world.retention.state.withLock { $0.ends[id]?.count } == reports)
        }
    }

    @Test("an earlier time of erasure that retention answers is taken over, a later one is not")
    func adoption() async throws {
        try await World.withChat { world, chat in
            let earlier = World.start.addingTimeInterval(3 * 86_400)
            world.retention.state.withLock { $0.deleteTime = earlier }
            let one = try await chat.session()
            var events = chat.watch(one).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            _ = try await chat.end(one)
            #expect(try await events.next()?.session?.deleteTime?.date == World.start.addingTimeInterval(7 * 86_400))
            #expect(try await events.next()?.session?.deleteTime?.date == earlier)

            world.retention.state.withLock { $0.deleteTime = World.start.addingTimeInterval(30 * 86_400) }
            let two = try await chat.session()
            let ended = try await chat.end(two)
            try await world.eventually("retention hears of the end") {
                world.retention.state.withLock { $0.ends[two]?.isEmpty == false }
            }
            #expect(try await chat.client.getSession(.init(sessionID: two)) == ended)
        }
    }
}

extension Chat {
    /// Ends a new session and waits until retention has heard of it. Ends are reported one after the other, so those of
    /// older sessions have been acknowledged by then.
    fileprivate func endAnother(in world: World) async throws {
        let id = try await session()
        _ = try await end(id)
        try await world.eventually("retention hears of another end") {
            world.retention.state.withLock { $0.ends[id]?.isEmpty == false }
        }
    }
}
