import ChatCore
import Foundation
import Privacy
import Testing

@Suite("A session's life")
struct SessionStateTests {
    @Test("opening: a draft opens, an open session stays, an ended one refuses")
    func opening() throws {
        for state in SessionState.allCases {
            var changing = state
            switch state {
            case .draft:
                #expect(try changing.open() == true)
                #expect(changing == .open)
            case .open:
                #expect(try changing.open() == false)
                #expect(changing == .open)
            case .ended:
                #expect(throws: ChatError.sessionEnded) { try changing.open() }
                #expect(changing == .ended)
            }
        }
    }

    @Test("ending: from every state, and only once", arguments: SessionState.allCases)
    func ending(state: SessionState) {
        var changing = state
        #expect(changing.end() == (state != .ended))
        #expect(changing == .ended)
        #expect(changing.end() == false)
    }

    @Test("questions are taken before and while a session is open, not after")
    func asking() {
        #expect(SessionState.allCases.filter(\.acceptsQuestions) == [.draft, .open])
    }

    @Test("a state's stored number names it again, and none else does", arguments: -1...5)
    func storedNumbers(number: Int) {
        let state = SessionState(rawValue: number)
        #expect((state != nil) == (1...3).contains(number))
        if let state { #expect(state.rawValue == number) }
    }
}

@Suite("A session's record")
struct SessionRecordTests {
    static let created = Date(milliseconds: 1_769_853_600_123)  // 2026-01-31T10:00:00.123Z

    static func record(days: Int = 31) -> SessionRecord {
        SessionRecord(id: "a-1", organisationID: "org", createTime: created, retentionDays: days)
    }

    @Test("is a draft that nothing has happened to")
    func new() {
        let record = Self.record()
        #expect(record.state == .draft)
        #expect(record.openTime == nil)
        #expect(record.endTime == nil)
        #expect(record.deleteTime == nil)
        #expect(record.createTime == Self.created)
        #expect(record.isVisible(at: .distantFuture))
    }

    @Test("the end fixes the time of erasure by the agreed days, and by a calendar month where that is sooner")
    func end() {
        var short = Self.record(days: 7)
        #expect(short.end(at: Self.created) == true)
        #expect(short.deleteTime == Self.created.addingTimeInterval(7 * 86_400))
        var long = Self.record(days: 31)
        #expect(long.end(at: Self.created) == true)
        // 31 January and a month: 28 February.
        #expect(long.deleteTime == Self.created.addingTimeInterval(28 * 86_400))
        #expect(long.deleteTime == RetentionRule.deadline(ended: Self.created, days: 31))
    }

    @Test("ending again and opening after the end change nothing")
    func endOnce() throws {
        var record = Self.record(days: 3)
        #expect(try record.open(at: Self.created.addingTimeInterval(5)) == true)
        #expect(try record.open(at: Self.created.addingTimeInterval(50)) == false)
        #expect(record.openTime == Self.created.addingTimeInterval(5))
        #expect(record.end(at: Self.created.addingTimeInterval(60)) == true)
        let ended = record
        #expect(record.end(at: Self.created.addingTimeInterval(600)) == false)
        #expect(throws: ChatError.sessionEnded) { try record.open(at: Self.created) }
        #expect(record == ended)
    }

    @Test("is visible until its time, and from that very moment not")
    func visibility() throws {
        var record = Self.record(days: 1)
        _ = record.end(at: Self.created)
        let deleteTime = try #require(record.deleteTime)
        #expect(record.isVisible(at: deleteTime.addingTimeInterval(-0.001)))
        #expect(!record.isVisible(at: deleteTime))
        #expect(!record.isVisible(at: .distantFuture))
    }

    @Test("an agreement of no days makes it invisible the moment it ends")
    func zeroDays() {
        var record = Self.record(days: 0)
        _ = record.end(at: Self.created)
        #expect(!record.isVisible(at: Self.created))
    }

    @Test("an earlier time of erasure is taken over, a later one is not, and none before the end")
    func adoption() throws {
        var record = Self.record(days: 10)
        #expect(record.adopt(deleteTime: Self.created) == false)
        _ = record.end(at: Self.created)
        let own = try #require(record.deleteTime)
        #expect(record.adopt(deleteTime: own) == false)
        #expect(record.adopt(deleteTime: own.addingTimeInterval(1)) == false)
        #expect(record.deleteTime == own)
        #expect(record.adopt(deleteTime: own.addingTimeInterval(-1)) == true)
        #expect(record.deleteTime == own.addingTimeInterval(-1))
    }

    @Test("fewer days, or an earlier time, before and after the end: it is never kept for longer", arguments: 0...31)
    func shortening(before: Int) {
        for after in 0...31 {
            var draft = Self.record(days: before)
            #expect(draft.shorten(days: after, deleteTime: nil) == (after < before))
            #expect(draft.retentionDays == min(before, after) && draft.deleteTime == nil)
            _ = draft.end(at: Self.created)
            let expected = RetentionRule.deadline(ended: Self.created, days: min(before, after))
            #expect(draft.deleteTime == expected)

            var ended = Self.record(days: before)
            _ = ended.end(at: Self.created)
            let own = ended.deleteTime
            #expect(ended.shorten(days: after, deleteTime: nil) == (after < before))
            #expect(ended.deleteTime == expected)

            var told = Self.record(days: before)
            _ = told.end(at: Self.created)
            let earlier = Self.created.addingTimeInterval(-1)
            #expect(told.shorten(days: after, deleteTime: earlier) == true)
            #expect(told.deleteTime == earlier)
            #expect(told.shorten(days: after, deleteTime: own) == false)
            #expect(told.deleteTime == earlier)
        }
    }

    @Test("a clock that was set back does not let it open or end before it began")
    func clockSetBack() throws {
        var record = Self.record(days: 10)
        _ = try record.open(at: Self.created.addingTimeInterval(-100))
        #expect(record.openTime == Self.created)
        _ = record.end(at: Self.created.addingTimeInterval(-100))
        #expect(record.endTime == Self.created)
    }

    @Test("it is due to end the given days after its creation")
    func latestEnd() {
        #expect(Self.record().latestEnd(maximumDays: 30) == Self.created.addingTimeInterval(30 * 86_400))
    }

    @Test(
        "times survive being stored as milliseconds",
        arguments: [0, 1, 999, 1_000, 1_769_853_600_123, 1_769_853_600_999, 4_102_444_800_001, -1, -1_001])
    func milliseconds(value: Int64) {
        let date = Date(milliseconds: value)
        #expect(date.milliseconds == value)
        #expect(date.wholeMilliseconds == date)
    }

    @Test("finer times are rounded down")
    func rounding() {
        #expect(Date(timeIntervalSince1970: 1_769_853_600.1239).milliseconds == 1_769_853_600_123)
    }
}
