import ChatCore
import Foundation
import Privacy
import Testing

@testable import ChatServer

@Suite("Sessions in memory")
struct SessionCacheTests {
    static func session(_ id: String) -> OpenedSession {
        let record = SessionRecord(
            id: id, organisationID: "org", createTime: Date(milliseconds: 0), retentionDays: 1)
        return OpenedSession(
            stored: StoredSession(record: record, sealedTitle: [], lastSequence: 1, keyVersion: 1),
            cipher: SessionCipher(sessionID: id, keys: .random(), version: 1)!, title: "")
    }

    @Test("what was read before a change is not kept after it")
    func generations() throws {
        var cache = SessionCache(capacity: 10)
        let session = Self.session("a")
        let before = cache.generation
        var ended = session.stored
        #expect(ended.record.end(at: Date(milliseconds: 5)) == true)
        cache.change(to: ended)
        #expect(cache.keep(session, readAt: before) == false)
        #expect(cache.session("a") == nil)
        #expect(cache.keep(session, readAt: cache.generation) == true)
        cache.change(to: ended)
        #expect(cache.session("a")?.record.state == .ended)
        let beforeErasure = cache.generation
        cache.remove("a")
        #expect(cache.keep(session, readAt: beforeErasure) == false)
        #expect(cache.session("a") == nil)
    }

    @Test("the least recently used are forgotten, and never more than there is room for are kept")
    func eviction() {
        var cache = SessionCache(capacity: 20)
        for number in 0..<20 { cache.add(Self.session("\(number)")) }
        #expect(cache.session("0") != nil)
        cache.add(Self.session("new"))
        #expect(cache.session("0") != nil)
        #expect(cache.session("new") != nil)
        #expect(cache.session("1") == nil)
        let kept = (0..<20).count { cache.session("\($0)") != nil }
        #expect(kept == 18)
    }

    @Test("whom a token belongs to is remembered with its session, and forgotten with it")
    func participants() {
        var cache = SessionCache(capacity: 10)
        let anna = Participant(id: "p", name: "Anna")
        cache.remember(anna, token: "t", in: "a")
        #expect(cache.participantCount == 0)
        cache.add(Self.session("a"))
        #expect(cache.session("a", token: "t")?.participant == nil)
        cache.remember(anna, token: "t", in: "a")
        cache.remember(anna, token: "t", in: "a")
        #expect(cache.participantCount == 1)
        #expect(cache.session("a", token: "t")?.participant == anna)
        #expect(cache.session("a", token: "other")?.participant == nil)
        #expect(cache.session("b", token: "t") == nil)
        cache.change(to: Self.session("a").stored)
        #expect(cache.session("a", token: "t")?.participant == anna)
        cache.remove("a")
        #expect(cache.participantCount == 0)
        cache.add(Self.session("a"))
        #expect(cache.session("a", token: "t")?.participant == nil)
    }

    @Test("participants are forgotten with the least recently used sessions, and when a session is read again")
    func participantsOfForgotten() {
        var cache = SessionCache(capacity: 10)
        for number in 0..<10 {
            cache.add(Self.session("\(number)"))
            cache.remember(Participant(id: "p", name: ""), token: "t", in: "\(number)")
        }
        #expect(cache.participantCount == 10)
        cache.add(Self.session("new"))
        #expect(cache.participantCount == 9)
        cache.add(Self.session("9"))
        #expect(cache.participantCount == 8)
    }

    @Test("no more participants are remembered than there is room for; one session's do not take another's room")
    func participantsBound() {
        var cache = SessionCache(capacity: 10, participants: (ofAll: 20, ofSession: 15))
        for id in ["small", "large"] { cache.add(Self.session(id)) }
        for number in 0..<4 { cache.remember(Participant(id: "p", name: ""), token: "\(number)", in: "small") }
        for number in 0..<1_000 {
            cache.remember(Participant(id: "p", name: ""), token: "\(number)", in: "large")
            #expect(cache.participantCount <= 20)
            #expect(cache.session("large", token: "\(number)")?.participant != nil)
        }
        #expect((0..<4).allSatisfy { cache.session("small", token: "\($0)")?.participant != nil })
    }
}

@Suite("One does it for all")
struct SingleFlightTests {
    private struct Failure: Error {}

    @Test("all who come while it is done get its result")
    func sharing() async throws {
        let flight = SingleFlight<Int>()
        let gate = Flag()
        let started = Flag()
        try await withThrowingTaskGroup(of: Int.self) { tasks in
            tasks.addTask {
                try await flight.value(for: "k") {
                    started.raise()
                    while !gate.isRaised { await Task.yield() }
                    return 7
                }
            }
            while !started.isRaised { await Task.yield() }
            for _ in 0..<10 {
                tasks.addTask { try await flight.value(for: "k") { 7 } }
            }
            // Another key does not wait.
            #expect(try await flight.value(for: "other") { 8 } == 8)
            gate.raise()
            for try await value in tasks { #expect(value == 7) }
        }
    }

    @Test("a failure is everybody's, and the next one tries again")
    func failing() async throws {
        let flight = SingleFlight<Int>()
        await #expect(throws: Failure.self) { try await flight.value(for: "k") { throw Failure() } }
        #expect(try await flight.value(for: "k") { 1 } == 1)
    }

    @Test("when the one that does it gives up, another does it")
    func leaderCancelled() async throws {
        let flight = SingleFlight<Int>()
        let started = Flag()
        let leader = Task {
            try await flight.value(for: "k") {
                started.raise()
                try await Task.sleep(for: .seconds(60))
                return 1
            }
        }
        while !started.isRaised { await Task.yield() }
        async let follower = flight.value(for: "k") { 2 }
        leader.cancel()
        #expect(try await follower == 2)
        await #expect(throws: CancellationError.self) { try await leader.value }
    }
}
