import ChatCore
import Foundation
import Privacy
import Synchronization
import Testing

@testable import ChatServer

@Suite("Any store of sessions")
struct SessionConformanceTests {
    @Test(
        "keeps sessions as they were created and changed, also when it is opened again", arguments: StoreUnderTest.all)
    func kept(store kind: StoreUnderTest) async throws {
        try await inFolder { folder in
            let id = Make.id()
            let ended = try await kind.open(folder).use { (store) async throws in
                let created = try await store.add(id)
                #expect(created.lastSequence == 1)
                #expect(try await store.session(id) == created)
                let told = Told<StoredSession>()
                let opened = try await store.change(
                    id, by: { try $0.open(at: Make.time(5)) }, onCommit: { session in told.add(session) })
                #expect(opened.record.state == .open && opened.lastSequence == 2)
                let again = try await store.change(
                    id, by: { try $0.open(at: Make.time(6)) }, onCommit: { session in told.add(session) })
                #expect(again == opened)
                let ended = try await store.end(id)
                #expect(told.all == [opened])
                #expect(try await store.feedPosition(of: id).sequence == 3)
                let refused = await failure {
                    _ = try await store.change(id, by: { try $0.open(at: Make.time(7)) }, onCommit: { _ in })
                }
                #expect(refused == .sessionEnded)
                #expect(try await store.session(id) == ended)
                return ended
            }
            try await kind.open(folder).use { (store) async throws in
                #expect(try await store.session(id) == ended)
                #expect(try await store.feedPosition(of: id).session == ended)
                #expect(ended.sealedTitle == Make.bytes("title of \(id)"))
            }
        }
    }

    @Test("says alike of what was never there that it is not", arguments: StoreUnderTest.all)
    func unknown(store kind: StoreUnderTest) async throws {
        try await kind.run { (store) async throws in
            #expect(try await store.session("a-none") == nil)
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await store.end("a-none") },
                { _ = try await store.ask(Make.question("?", in: "a-none")) },
                { _ = try await store.moderate("q", in: "a-none", by: .publish) },
                { _ = try await store.feedPosition(of: "a-none") },
                { _ = try await store.all(.seenBy(.moderator), of: "a-none") },
            ]
            for call in calls { #expect(await failure(of: call) == .sessionNotFound) }
        }
    }

    @Test(
        "lists an organisation's visible sessions by the page, newest first, and nobody else's",
        arguments: StoreUnderTest.all)
    func listed(store kind: StoreUnderTest) async throws {
        try await kind.run { (store) async throws in
            var ids: [String] = []
            for number in 0..<7 { ids.append(try await store.add(at: Make.time(Double(number / 2))).id) }
            try await store.add(of: "org-b")
            let gone = try await store.end(ids[3])
            var page: SessionPageKey?
            var listed: [String] = []
            repeat {
                let sessions = try await store.sessions(
                    of: "org-a", at: try #require(gone.record.deleteTime), after: page, limit: 2)
                listed += sessions.map(\.id)
                page = sessions.last.map(SessionPageKey.init)
            } while page != nil
            let expected = ids.enumerated().filter { $0.offset != 3 }
                .sorted { ($0.offset / 2, $0.element) > ($1.offset / 2, $1.element) }.map(\.element)
            #expect(listed == expected)
        }
    }

    @Test("finds what time has to do with: not ended, not reported, overdue, all", arguments: StoreUnderTest.all)
    func found(store kind: StoreUnderTest) async throws {
        try await kind.run { (store) async throws in
            let old = try await store.add(at: Make.time(0))
            let new = try await store.add(at: Make.time(50))
            #expect(try await store.notEnded(createdBy: Make.time(10), limit: 10).map(\.id) == [old.id])
            let ended = try await store.end(old.id)
            #expect(try await store.notEnded(createdBy: Make.time(60), limit: 10).map(\.id) == [new.id])
            #expect(try await store.notReported(after: nil, limit: 10) == [ended])
            #expect(try await store.notReported(after: old.id, limit: 10).isEmpty)
            let time = try #require(ended.record.deleteTime)
            #expect(try await store.overdue(since: time, limit: 10).isEmpty)
            try await store.noteEndReported(old.id)
            #expect(try await store.notReported(after: nil, limit: 10).isEmpty)
            #expect(try await store.overdue(since: time.addingTimeInterval(-1), limit: 10).isEmpty)
            #expect(try await store.overdue(since: time, limit: 10) == [old.id])
            let all = try await store.sessions(after: nil, limit: 10).map(\.id)
            #expect(all == [old.id, new.id].sorted())
            #expect(try await store.sessions(after: all[0], limit: 10).map(\.id) == [all[1]])
        }
    }

    @Test("keeps the clock's mark that it was given last", arguments: StoreUnderTest.all)
    func clock(store kind: StoreUnderTest) async throws {
        try await inFolder { folder in
            try await kind.open(folder).use { (store) async throws in
                #expect(try await store.clockMark() == nil)
                try await store.storeClockMark(ClockMark(time: Make.time(10), boot: "b1", uptime: 7.5))
                try await store.storeClockMark(ClockMark(time: Make.time(5), boot: "b2", uptime: 2.25))
            }
            try await kind.open(folder).use { (store) async throws in
                #expect(try await store.clockMark() == ClockMark(time: Make.time(5), boot: "b2", uptime: 2.25))
            }
        }
    }

    @Test(
        "erases all of a session for good, tells everybody first, and says the same when asked again",
        arguments: StoreUnderTest.all)
    func erased(store kind: StoreUnderTest) async throws {
        try await inFolder { folder in
            let (id, kept) = (Make.id(), Make.id())
            try await kind.open(folder).use { (store) async throws in
                for session in [id, kept] {
                    try await store.add(session)
                    for number in 0..<5 { _ = try await store.ask(Make.question("\(number)", in: session)) }
                }
                let first = try #require(try await store.all(.seenBy(.moderator), of: id).first)
                _ = try await store.answer(first.id, in: id, "svar", request: "r")
                let before = try await store.all(.seenBy(.moderator), of: kept)

                let forgotten = Mutex(false)
                let evidence = try await store.erase(id, at: Make.time(70)) { forgotten.withLock { $0 = true } }
                #expect(forgotten.withLock { $0 })
                #expect(evidence.content == .removed && evidence.time == Make.time(70))
                #expect(evidence.counts == ContentCounts(questions: 5, answers: 1, events: 7))
                #expect(await failure { _ = try await store.ask(Make.question("?", in: id)) } == .sessionNotFound)
                #expect(await failure { _ = try await store.end(id) } == .sessionNotFound)
                #expect(try await store.session(id) == nil)
                #expect(try await store.sessions(after: nil, limit: 10).map(\.id) == [kept])
                #expect(try await store.all(.seenBy(.moderator), of: kept) == before)

                var again = evidence
                again.content = .erasedEarlier
                #expect(try await store.erase(id, at: Make.time(80)) == again)
                let never = try await store.erase("a-none", at: Make.time(90))
                #expect(never.content == .neverHeld && never.counts == ContentCounts() && never.files == 0)
            }
            try await kind.open(folder).use { (store) async throws in
                #expect(try await store.session(id) == nil)
                #expect(try await store.erase(id).content == .erasedEarlier)
                #expect(try await store.all(.seenBy(.moderator), of: kept).count == 5)
            }
        }
    }
}
