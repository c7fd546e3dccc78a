import ChatServer
import Contracts
import Foundation
import GRDB
import Privacy
import RPC
import Synchronization
import Testing

@Suite("Erasure")
struct ErasureTests {
    @Test("leaves no sealed byte of the session in any file, and the other sessions as they were")
    func erasure() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session(title: "Ska bort")
            let kept = try await chat.session(title: "Ska vara kvar")
            let author = try await chat.join(id, name: "Lisa Hemlig")
            let keeper = try await chat.join(kept, name: "Ola Kvar")
            for number in 0..<60 {
                let question = try await chat.ask("Fråga \(number) om mitt liv", in: id, as: author)
                if number % 2 == 0 { _ = try await chat.answer(question, "Svar \(number)", by: "Bo Ek") }
                if number % 3 == 0 { _ = try await chat.reject(question) }
                _ = try await chat.ask("Fråga \(number) som blir kvar", in: kept, as: keeper)
            }
            var events = chat.watch(id).makeAsyncIterator()
            _ = try await events.untilCaughtUp()
            let keptBefore = try await chat.list(kept, as: chat.administrator())
            let sealed = try await sealedBytes(of: id, in: world)
            // The title; 60 texts, names and requests of one author; 30 answers with names and requests.
            #expect(sealed.count == 272)
            let title = try #require(try await sealedTitle(of: id, in: world))
            for bytes in sealed { #expect(try await world.filesHold(bytes)) }

            world.retention.destroyKey(of: id)
            let erased = try await chat.erase(id)
            #expect(erased.questions == 60)
            #expect(erased.answers == 30)
            #expect(erased.events == 112)
            #expect(erased.content == .fileUnlinked && erased.countsKnown)
            #expect(erased.filesUnlinked > 0 && erased.bytesUnlinked > 60 * 100)
            #expect(erased.eraseTime?.date == World.start)
            for bytes in sealed where bytes != title { #expect(try await !world.filesHold(bytes)) }
            try await world.eventually("nor is its title, or its id, in the index") {
                let holdsTitle = try await world.filesHold(title)
                let holdsID = try await world.filesHold(Array(id.utf8))
                return !holdsTitle && !holdsID
            }

            let ending = await status { while try await events.next() != nil {} }
            #expect(ending?.code == .notFound)
            let reading = await status { _ = try await chat.client.getSession(.init(sessionID: id)) }
            #expect(reading?.code == .notFound)
            let asking = await status { _ = try await chat.ask("Hallå?", in: id, as: author) }
            #expect(asking?.code == .notFound)
            #expect(try await chat.list(kept, as: chat.administrator()) == keptBefore)
            _ = try await chat.ask("Och en till", in: kept, as: keeper)

            // Whoever missed the answer gets it again; the certificate depends on it.
            world.clock.advance(by: 60)
            var again = erased
            again.content = .erasedEarlier
            #expect(try await chat.erase(id) == again)
            #expect(try await !world.filesHold(anyOf: Array(sealed)))
            let unknown = try await chat.erase("a-unknown")
            #expect(unknown.content == .neverHeld && unknown.countsKnown)
            #expect(unknown.questions == 0 && unknown.filesUnlinked == 0 && unknown.region == "se-lund")
        }
    }

    @Test("what retention leaves behind is erased an hour after its time, and the counts are kept for it")
    func leftBehind() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            _ = try await chat.ask("Blir jag kvar?", in: id, as: author)
            let sealed = Array(try await sealedBytes(of: id, in: world))
            _ = try await chat.end(id)
            try await world.eventually("retention hears of the end") {
                world.retention.state.withLock { $0.ends[id]?.isEmpty == false }
            }
            world.clock.advance(by: 7 * 86_400 + 3_500)
            let other = try await chat.session()
            _ = try await chat.end(other)
            try await world.eventually("a whole round of upkeep is over") {
                world.retention.state.withLock { $0.ends[other]?.isEmpty == false }
            }
            #expect(try await world.filesHold(Array(id.utf8)))

            world.clock.advance(by: 200)
            try await world.eventually("nothing of it is in the files") {
                for bytes in sealed + [Array(id.utf8)] where try await world.filesHold(bytes) { return false }
                return true
            }
            let erased = try await chat.erase(id)
            #expect(erased.questions == 1)
            #expect(erased.events == 4)
            #expect(try await world.filesHold(Array(other.utf8)))
        }
    }

    @Test("questions asked while their session is erased are answered one way or the other, and none is left")
    func concurrentErasure() async throws {
        try await World.withChat { world, chat in
            let id = try await chat.session()
            let author = try await chat.join(id)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 0..<60 {
                    tasks.addTask {
                        do {
                            _ = try await chat.ask("Fråga \(number)", in: id, as: author)
                        } catch let error as RPCError {
                            #expect(error.code == .notFound)
                        }
                    }
                }
                tasks.addTask {
                    world.retention.destroyKey(of: id)
                    _ = try await chat.erase(id)
                }
                try await tasks.waitForAll()
            }
            #expect(try await sealedBytes(of: nil, in: world).isEmpty)
        }
    }

    @Test("no text and no name is on the disk at any time, nor in the log")
    func plaintext() async throws {
        try await World.withChat { world, chat in
            let texts = [
                "Utskottets hemliga titel", "Fröken Ängslig", "Varför blev jag uppsagd?", "Svaret är konfidentiellt",
                "Värden Viktor",
            ]
            let id = try await chat.session(title: texts[0])
            let joined = try await chat.client.joinSession(.init(sessionID: id, displayName: texts[1]))
            let author = Chat.participant(joined.participantToken)
            let question = try await chat.ask(texts[2], in: id, as: author, requestID: "request-of-anna-1")
            _ = try await chat.answer(question, texts[3], by: texts[4], requestID: "request-of-adm-1")
            _ = try await chat.list(id)
            _ = await status { _ = try await chat.ask("Fröken Ängslig\u{7}", in: id, as: author) }
            _ = try await chat.end(id)
            let token = joined.participantToken
            for text in texts + ["request-of-anna-1", "request-of-adm-1", token, "adm-1"] {
                for bytes in [Array(text.utf8), Array(text.utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }] {
                    #expect(try await !world.filesHold(bytes))
                }
                #expect(!world.logs.text.contains(text))
            }
            #expect(!world.logs.text.isEmpty)
            let files = try FileManager.default.subpathsOfDirectory(atPath: world.chatFolder)
            #expect(files.count >= 4)
            let modes = try files.map { file in
                try FileManager.default.attributesOfItem(atPath: "\(world.chatFolder)/\(file)")[.posixPermissions]
                    as? Int
            }
            #expect(modes.allSatisfy { ($0 ?? 0o777) & 0o077 == 0 })
        }
    }

    private func sealedTitle(of sessionID: String, in world: World) async throws -> [UInt8]? {
        let copy = try world.copyOfFiles()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let database = try DatabaseQueue(path: "\(copy)/index.sqlite")
        return try await database.read { db in
            try Data.fetchOne(db, sql: "SELECT title FROM session WHERE id = ?", arguments: [sessionID])
        }.map { [UInt8]($0) }
    }

    /// All sealed texts and digests of a session, or of all sessions, as they are stored.
    private func sealedBytes(of sessionID: String?, in world: World) async throws -> Set<[UInt8]> {
        let copy = try world.copyOfFiles()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        var sealed: Set<[UInt8]> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(copy)/sessions")
        where name.hasSuffix(".sqlite") && (sessionID == nil || name == sessionID.map { "\($0).sqlite" }) {
            let database = try DatabaseQueue(path: "\(copy)/sessions/\(name)")
            let values = try await database.read { db in
                try Data.fetchAll(
                    db,
                    sql: """
                        SELECT title FROM session
                        UNION ALL SELECT text FROM question
                        UNION ALL SELECT author_name FROM question WHERE author_name IS NOT NULL
                        UNION ALL SELECT author FROM question
                        UNION ALL SELECT request FROM question
                        UNION ALL SELECT text FROM answer
                        UNION ALL SELECT host_name FROM answer WHERE host_name IS NOT NULL
                        UNION ALL SELECT request FROM answer
                        """)
            }
            sealed.formUnion(values.map { [UInt8]($0) })
        }
        return sealed
    }
}
