import ChatCore
import ChatServer
import Contracts
import Foundation
import RPC
import ServiceKit
import Testing

@Suite("One organisation against all others, in chat")
struct OneAgainstAllTests {
    private typealias Watch = ResponseStream<ChatV1.SessionEvent>.AsyncIterator

    private func session(of organisation: String, in chat: Chat) async throws -> String {
        let administrator = try await chat.administrator(of: organisation)
        let session = try await chat.client.createSession(.init(title: "Fråga oss"), options: administrator)
        _ = try await chat.client.openSession(.init(sessionID: session.sessionID), options: administrator)
        return session.sessionID
    }

    /// A watch that has caught up and goes on.
    private func follow(
        _ id: String, _ audience: ChatV1.Audience, as options: CallOptions = CallOptions(), in chat: Chat
    ) async throws -> Watch {
        var watch = chat.watch(id, audience, as: options).makeAsyncIterator()
        _ = try await watch.untilCaughtUp()
        return watch
    }

    private func refusal(
        _ id: String, _ audience: ChatV1.Audience, as options: CallOptions = CallOptions(), in chat: Chat
    ) async -> RPCError? {
        await status { for try await _ in chat.watch(id, audience, as: options) {} }
    }

    @Test("an organisation's moderators' feeds are bounded, for each administrator too, and another's opens at once")
    func moderators() async throws {
        var settings = try ChatSettings()
        settings.limits.moderatorWatchersOfOrganisation = 4
        settings.limits.moderatorWatchersOfAdministrator = 3
        try await World.withChat(settings) { world, chat in
            let (north, south) = (
                try await session(of: Organisation.a, in: chat), try await session(of: Organisation.b, in: chat)
            )
            let (anna, bo) = (try await chat.administrator(id: "adm-1"), try await chat.administrator(id: "adm-2"))
            var watches: [Watch] = []
            for _ in 0..<3 { watches.append(try await follow(north, .moderators, as: anna, in: chat)) }
            for _ in 0..<20 {
                let refusal = await refusal(north, .moderators, as: anna, in: chat)
                #expect(refusal?.code == .resourceExhausted && refusal?.reason == "WATCHER_LIMIT")
                #expect(refusal?.metadata == ["bound": "moderator-watchers-of-administrator"])
            }
            watches.append(try await follow(north, .moderators, as: bo, in: chat))
            let full = await refusal(north, .moderators, as: bo, in: chat)
            #expect(full?.metadata == ["bound": "moderator-watchers-of-organisation"])

            let other = try await chat.administrator(of: Organisation.b, id: "adm-3")
            let theirs = try await follow(south, .moderators, as: other, in: chat)
            let everyone = try await follow(north, .public, in: chat)
            #expect(
                chat.metrics.text().contains(
                    "bound_refusals_total{bound=\"moderator-watchers-of-administrator\"} 20\n"))
            watches.removeLast()
            try await world.eventually("a place is free") {
                let left = chat.assembly.feed.watcherCount
                return left == 5
            }
            watches.append(try await follow(north, .moderators, as: bo, in: chat))
            _ = (theirs, everyone)
        }
    }

    @Test("a participant's feeds are bounded, and other participants' open at once")
    func participants() async throws {
        var settings = try ChatSettings()
        settings.limits.watchersOfParticipant = 2
        try await World.withChat(settings) { _, chat in
            let id = try await chat.session()
            let (one, other) = (try await chat.join(id), try await chat.join(id))
            let watches = [
                try await follow(id, .public, as: one, in: chat), try await follow(id, .public, as: one, in: chat),
            ]
            let refusal = await refusal(id, .public, as: one, in: chat)
            #expect(refusal?.metadata == ["bound": "watchers-of-participant"])
            let theirs = [
                try await follow(id, .public, as: other, in: chat), try await follow(id, .public, in: chat),
            ]
            _ = (watches, theirs)
        }
    }

    @Test(
        "logs that are read slowly are bounded for an organisation, hold up no erasure, and another's is read at once")
    func logs() async throws {
        var settings = try ChatSettings()
        settings.limits.logReadsOfOrganisation = 2
        try await World.withChat(settings) { world, chat in
            let (north, south) = (
                try await session(of: Organisation.a, in: chat), try await session(of: Organisation.b, in: chat)
            )
            let author = try await chat.join(north)
            let text = String(repeating: "å", count: 2_000)
            for _ in 0..<400 { _ = try await chat.ask(text, in: north, as: author) }
            var slow: [ResponseStream<ChatV1.SessionLogEntry>.AsyncIterator] = []
            for _ in 0..<2 {
                var log = chat.client.readSessionLog(.init(sessionID: north), options: CallOptions())
                    .makeAsyncIterator()
                for _ in 0..<2 { #expect(try await log.next() != nil) }
                slow.append(log)
            }
            var third = chat.client.readSessionLog(.init(sessionID: north), options: CallOptions()).makeAsyncIterator()
            // How the session is, anybody is told who may ask.
            let first = try await third.next()
            if case .session(let told)? = first?.entry {
                #expect(told.sessionID == north)
            } else {
                Issue.record("no session")
            }
            let refusal = await status { _ = try await third.next() }
            #expect(refusal?.code == .resourceExhausted && refusal?.reason == "LOG_READ_LIMIT")
            #expect(refusal?.metadata == ["bound": "log-reads-of-organisation"])

            #expect(try await chat.log(south).count == 1)
            #expect(try await chat.erase(south).events > 0)
            slow.removeAll()
            try await world.eventually("a place is free") {
                await status { _ = try await chat.log(north) } == nil
            }
        }
    }
}
