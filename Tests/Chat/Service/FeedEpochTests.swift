import ChatCore
import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import Testing

@Suite("Positions in the live feed")
struct FeedEpochTests {
    @Test("one that is none is refused, with the field", arguments: ["0", "17", "x-1", "0123456789abcdef-01", "\u{0}"])
    func malformed(position: String) async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let refused = await status { for try await _ in chat.watch(id, after: position) {} }
            #expect(refused?.code == .invalidArgument && refused?.fields.first?.field == "position")
        }
    }

    @Test("one of another epoch gets everything, and is told to forget what was seen")
    func otherEpoch() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            let administrator = try await chat.administrator()
            let asked = try await chat.ask("Ett?", in: id, as: author)
            for (audience, options) in [(ChatV1.Audience.moderators, administrator), (.author, author)] {
                var whole = chat.watch(id, audience, as: options).makeAsyncIterator()
                let all = try await whole.untilCaughtUp()
                for sequence in [0, 1, 2, 900, Int64.max] {
                    let position = FeedPosition(epoch: .random(), sequence: sequence).text
                    var stream = chat.watch(id, after: position, audience, as: options).makeAsyncIterator()
                    let events = try await stream.untilCaughtUp()
                    #expect(events.map(\.change) == [.reset(true)] + all.map(\.change))
                    #expect(events.first?.position == "" && events.dropFirst().map(\.position) == all.map(\.position))
                }
            }
            _ = try await chat.publish(asked)
        }
    }

    @Test("go on after an ordinary start, and not after a restore of an older folder")
    func restored() async throws {
        try await World.run { world in
            var (id, position, ahead, author) = ("", "", "", CallOptions())
            try await world.withChat { chat in
                id = try await chat.session()
                author = try await chat.join(id)
                _ = try await chat.ask("Före", in: id, as: author)
                position = try await Self.last(of: id, in: chat)
            }
            // An ordinary start.
            try await world.withChat { chat in
                var resumed = chat.watch(id, after: position, .moderators, as: try await chat.administrator())
                    .makeAsyncIterator()
                #expect(try await resumed.untilCaughtUp().map(\.change) == [.caughtUp(true)])
            }
            let older = try world.copyOfFiles()
            try await world.withChat { chat in
                for text in ["Förlorad ett", "Förlorad två"] { _ = try await chat.ask(text, in: id, as: author) }
                ahead = try await Self.last(of: id, in: chat)
            }
            try FileManager.default.removeItem(atPath: world.chatFolder)
            try FileManager.default.copyItem(atPath: older, toPath: world.chatFolder)
            let marker = "\(world.chatFolder)/\(FileSessionStore.restoredMarker)"
            #expect(FileManager.default.createFile(atPath: marker, contents: nil))
            for _ in 0..<2 {
                try await world.withChat { chat in
                    #expect(!FileManager.default.fileExists(atPath: marker))
                    // As many again as were lost: the same sequences, with other questions.
                    for text in ["Nytt ett", "Nytt två"] { _ = try await chat.ask(text, in: id, as: author) }
                    let administrator = try await chat.administrator()
                    for stale in [position, ahead] {
                        var stream = chat.watch(id, after: stale, .moderators, as: administrator).makeAsyncIterator()
                        let events = try await stream.untilCaughtUp()
                        #expect(events.first?.change == .reset(true))
                        let texts = events.compactMap(\.question?.text)
                        #expect(Array(texts.prefix(3)) == ["Före", "Nytt ett", "Nytt två"])
                    }
                }
            }
        }
    }

    private static func last(of id: String, in chat: Chat) async throws -> String {
        var events = chat.watch(id, .moderators, as: try await chat.administrator()).makeAsyncIterator()
        return try #require(try await events.untilCaughtUp().last?.position)
    }
}
