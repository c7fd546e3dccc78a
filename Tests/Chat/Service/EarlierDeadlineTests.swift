import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import Synchronization
import Testing

@Suite("When its organisation keeps sessions for a shorter time")
struct EarlierDeadlineTests {
    private static let day: TimeInterval = 86_400

    @discardableResult
    private func tell(
        _ chat: Chat, _ id: String, days: UInt32, deleteTime: Date? = nil, as options: CallOptions = CallOptions()
    ) async throws -> ChatV1.SetSessionDeadlineResponse {
        try await chat.client.setSessionDeadline(
            .init(
                sessionID: id, retentionDays: days, deleteTime: deleteTime.map { GoogleProtobuf.Timestamp($0) }),
            options: options)
    }

    @Test(
        "an ended session shows its new date to who follows and to who asks, and is gone then, with retention down too")
    func ended() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            _ = try await chat.end(id)
            #expect(try await events.next()?.session?.retentionDays == 7)
            let earlier = World.start.addingTimeInterval(3 * Self.day)
            let answer = try await tell(chat, id, days: 3, deleteTime: earlier)
            #expect(answer.retentionDays == 3 && answer.deleteTime?.date == earlier)
            let shown = try await events.next()?.session
            #expect(shown?.deleteTime?.date == earlier && shown?.retentionDays == 3)
            #expect(try await chat.client.getSession(.init(sessionID: id)) == shown)

            await world.retention.stop()
            world.clock.advance(to: earlier.addingTimeInterval(-0.001))
            _ = try await chat.client.getSession(.init(sessionID: id))
            world.clock.advance(by: 0.001)
            let refusal = await status { _ = try await chat.client.getSession(.init(sessionID: id)) }
            #expect(refusal?.reason == "SESSION_NOT_FOUND")
            let ending = await status { while try await events.next() != nil {} }
            #expect(ending?.reason == "SESSION_NOT_FOUND")
        }
    }

    @Test("what retention never asks for is erased by the new date, after a restart too")
    func safetyNet() async throws {
        try await World.run { world in
            var id = ""
            let earlier = World.start.addingTimeInterval(Self.day)
            try await world.withChat { chat in
                id = try await chat.session()
                _ = try await chat.ask("Kvar?", in: id, as: try await chat.join(id))
                _ = try await chat.end(id)
                try await tell(chat, id, days: 1, deleteTime: earlier)
                try await world.eventually("retention hears of the end") {
                    world.retention.state.withLock { $0.ends[id]?.isEmpty == false }
                }
            }
            try await world.withChat { chat in
                #expect(try await chat.client.getSession(.init(sessionID: id)).deleteTime?.date == earlier)
                #expect(try await world.filesHold(Array(id.utf8)))
                world.clock.advance(to: earlier.addingTimeInterval(3601))
                try await world.eventually("its rows are gone") { try await !world.filesHold(Array(id.utf8)) }
            }
        }
    }

    @Test("a session that goes on is told the days, and ends by them")
    func unended() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            #expect(try await tell(chat, id, days: 2).deleteTime == nil)
            #expect(try await events.next()?.session?.retentionDays == 2)
            await world.retention.stop()
            let ended = try await chat.end(id)
            #expect(ended.deleteTime?.date == World.start.addingTimeInterval(2 * Self.day))
        }
    }

    @Test("nothing is ever moved later, and the same again changes nothing and tells nobody")
    func onlyEarlier() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let ended = try await chat.end(id)
            let latest = try #require(ended.deleteTime?.date)
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            for (days, time) in [
                (UInt32(7), latest), (31, latest.addingTimeInterval(30 * Self.day)), (8, nil), (7, .distantFuture),
            ] as [(UInt32, Date?)] {
                let time = time == .distantFuture ? latest.addingTimeInterval(0.5) : time
                let answer = try await tell(chat, id, days: days, deleteTime: time)
                #expect(answer.retentionDays == 7 && answer.deleteTime?.date == latest)
            }
            #expect(try await chat.client.getSession(.init(sessionID: id)) == ended)
            // The first thing that is told is the change that is one; days alone move the date by the end on record.
            try await tell(chat, id, days: 5)
            let next = try await events.next()?.session
            #expect(next?.deleteTime?.date == World.start.addingTimeInterval(5 * Self.day))
        }
    }

    @Test("what is no session, no time and no number of days is refused, and nobody but a service may say it")
    func hostile() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let ended = try await chat.end(id)
            let unknown = await status { try await tell(chat, "a-unknown", days: 1) }
            #expect(unknown?.reason == "SESSION_NOT_FOUND")
            for name in ["", "A b", "../a", String(repeating: "a", count: 65)] {
                let refusal = await status { try await tell(chat, name, days: 1) }
                #expect(refusal?.fields.map(\.field) == ["session_id"])
            }
            for days: UInt32 in [32, .max] {
                let refusal = await status { try await tell(chat, id, days: days) }
                #expect(refusal?.fields.map(\.field) == ["retention_days"])
            }
            for time in [
                GoogleProtobuf.Timestamp(seconds: .max, nanos: 0), .init(seconds: .min, nanos: 0),
                .init(seconds: 0, nanos: -1), .init(seconds: 0, nanos: 1_000_000_000),
            ] {
                let refusal = await status {
                    _ = try await chat.client.setSessionDeadline(
                        .init(sessionID: id, retentionDays: 1, deleteTime: time))
                }
                #expect(refusal?.fields.map(\.field) == ["delete_time"])
            }
            for role in ["gateway", "operator", "backend"] {
                var options = try await chat.administrator()
                options.metadata.add("samtal-role", role)
                let refusal = await status { try await tell(chat, id, days: 1, as: options) }
                #expect(refusal?.code == .permissionDenied)
            }
            #expect(try await chat.client.getSession(.init(sessionID: id)) == ended)
        }
    }

    @Test("what was not heard is found by asking, again and again, for every session that there is")
    func asking() async throws {
        try await World.run { world in
            var settings = try ChatSettings()
            settings.deadlineInterval = .milliseconds(20)
            try await world.withChat(settings) { chat in
                let open = try await chat.session()
                let ended = try await chat.session()
                let other = try await chat.session()
                _ = try await chat.end(ended)
                let earlier = World.start.addingTimeInterval(2 * Self.day)
                world.retention.state.withLock { state in
                    state.deadlines = [open: (3, nil), ended: (2, earlier), "a-unknown": (1, nil)]
                }
                try await world.eventually("the days are taken over") {
                    try await chat.client.getSession(.init(sessionID: open)).retentionDays == 3
                }
                try await world.eventually("the date is taken over") {
                    try await chat.client.getSession(.init(sessionID: ended)).deleteTime?.date == earlier
                }
                // A later one is not, however often it is told; and without a change there is no event.
                world.retention.state.withLock { state in
                    state.deadlines = [open: (30, nil), ended: (30, earlier.addingTimeInterval(Self.day))]
                    state.deadlineCalls = []
                }
                try await world.eventually("chat has asked again") {
                    world.retention.state.withLock { $0.deadlineCalls.count } > 2
                }
                #expect(try await chat.client.getSession(.init(sessionID: open)).retentionDays == 3)
                #expect(try await chat.client.getSession(.init(sessionID: ended)).deleteTime?.date == earlier)
                #expect(try await chat.client.getSession(.init(sessionID: other)).retentionDays == 7)
            }
        }
    }

    @Test("any number of sessions is asked about 200 at a time, also when retention comes back later")
    func manyAsked() async throws {
        try await World.run { world in
            var last = ""
            try await world.withChat { chat in
                for _ in 0..<230 { last = try await chat.session(opened: false) }
            }
            await world.retention.stop()
            world.retention.state.withLock { [last] state in
                state.deadlines = [last: (1, nil)]
                state.deadlineCalls = []
            }
            try await world.withChat { chat in
                try await world.retention.start()
                try await world.eventually("the last is taken over") {
                    try await chat.client.getSession(.init(sessionID: last)).retentionDays == 1
                }
                try await world.eventually("all are asked about") {
                    world.retention.state.withLock { $0.deadlineCalls.count } >= 2
                }
                #expect(world.retention.state.withLock { Array($0.deadlineCalls.prefix(2)) } == [200, 30])
            }
        }
    }
}
