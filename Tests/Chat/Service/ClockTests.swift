import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("Chat, when the machine's clock steps")
struct ClockTests {
    private static let weeks: TimeInterval = 70 * 86_400

    @Test("a step ahead ends no session that nobody has ended, and gives no question another time")
    func nothingEnds() async throws {
        try await World.run { world in
            try await world.withChat { chat in
                let live = try await chat.session()
                let over = try await chat.session()
                let ended = try await chat.end(over)
                world.clock.set(World.start.addingTimeInterval(Self.weeks))
                // What may be overdue is gone at once.
                let refusal = await status { _ = try await chat.client.getSession(.init(sessionID: over)) }
                #expect(refusal?.reason == "SESSION_NOT_FOUND")
                let asked = try await chat.ask("Hur länge?", in: live, as: try await chat.join(live))
                #expect(asked.askTime?.date == World.start)
                let made = try await chat.session()
                #expect(try await chat.client.getSession(.init(sessionID: made)).createTime?.date == World.start)
                // Several rounds of what ends and erases.
                for _ in 0..<10 {
                    world.clock.advance(by: 60)
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(try await chat.client.getSession(.init(sessionID: live)).state == .open)
                #expect(try await world.filesHold(Array(over.utf8)))

                // Taken back, it is as if nothing had been.
                world.clock.set(World.start.addingTimeInterval(600))
                #expect(try await chat.client.getSession(.init(sessionID: over)).deleteTime == ended.deleteTime)
                let endedNow = try await chat.end(live)
                #expect(endedNow.endTime?.date == World.start.addingTimeInterval(600))
            }
        }
    }

    @Test("a step that stays ends and erases after an hour")
    func afterAnHour() async throws {
        try await World.run { world in
            try await world.withChat { chat in
                let live = try await chat.session()
                world.clock.set(World.start.addingTimeInterval(Self.weeks))
                try await Task.sleep(for: .milliseconds(100))
                #expect(try await chat.client.getSession(.init(sessionID: live)).state == .open)
                // As the upkeep sees it: the same step, an hour long. Within the last minute it may have done its work.
                for _ in 0..<61 {
                    world.clock.advance(by: 60)
                    _ = try? await chat.client.listQuestions(.init(sessionID: live))
                }
                try await world.eventually("what nobody ended is ended, as long ago as it should have been") {
                    let refusal = await status { _ = try await chat.client.getSession(.init(sessionID: live)) }
                    return refusal?.reason == "SESSION_NOT_FOUND"
                }
            }
        }
    }
}
