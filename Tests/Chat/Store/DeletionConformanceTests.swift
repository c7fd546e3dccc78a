import ChatCore
import Foundation
import Testing

@testable import ChatServer

@Suite("Any store that deletes questions, and changes keys")
struct DeletionConformanceTests {
    private static let seal: @Sendable ([UInt8], SessionCipher.Field) throws -> [UInt8] = { sealed, _ in
        sealed + Array(" anew".utf8)
    }

    @Test(
        "a deleted question is gone for every viewer, told to every audience, and stays so",
        arguments: StoreUnderTest.all)
    func deleted(store kind: StoreUnderTest) async throws {
        try await inFolder { folder in
            let id = Make.id()
            let questions = (0..<4).map { Make.question("\($0)", in: id, by: "p\($0 % 2)") }
            let told = Told<QuestionRecord>()
            for isOpenedAgain in [false, true] {
                try await kind.open(folder).use { (store) async throws in
                    if !isOpenedAgain {
                        try await store.add(id)
                        for question in questions { _ = try await store.ask(question) }
                        _ = try await store.answer(questions[1].id, in: id, "svar", request: "r")
                        let others = await failure {
                            try await store.delete(
                                questions[0].id, in: id, by: Make.digest("author p1"), at: Make.time(9)
                            ) { _ in }
                        }
                        #expect(others == .questionNotFound)
                        for author in [nil, Make.digest("author p1")] {
                            // The second time it is deleted already.
                            try await store.delete(questions[1].id, in: id, by: author, at: Make.time(9)) {
                                told.add($0)
                            }
                        }
                        #expect(told.all.map(\.id) == [questions[1].id])
                        #expect(told.all.first?.state == .deleted && told.all.first?.sealedText == [])
                    }
                    let left = [0, 2, 3].map { questions[$0].id }
                    #expect(try await store.all(.seenBy(.moderator), of: id).map(\.id) == left)
                    let own = try await store.all(.askedBy(Make.digest("author p1")), of: id)
                    #expect(own.map(\.id) == [questions[3].id])
                    for audience in [Audience.everyone, .moderators, .author(Make.digest("author p1"))] {
                        let shown = try await store.feed(of: id, for: audience, after: 5)
                        #expect(shown.map(\.id) == [questions[1].id])
                        #expect(shown.map { audience.view(of: $0.state, wasPublished: $0.wasPublished) } == [.removed])
                        #expect(shown.first?.answers == [])
                    }
                    let calls: [@Sendable () async throws -> Void] = [
                        { _ = try await store.ask(questions[1]) },
                        { _ = try await store.moderate(questions[1].id, in: id, by: .publish) },
                        { _ = try await store.answer(questions[1].id, in: id, "till", request: "r2") },
                        { _ = try await store.answer(questions[1].id, in: id, "svar", request: "r") },
                    ]
                    for call in calls { #expect(await failure(of: call) == .questionNotFound) }
                    #expect(try await store.session(id)?.deletedSince == Make.time(9))
                    #expect(try await store.keysToChange(deletedBy: Make.time(8), after: nil, limit: 9).isEmpty)
                    let due = try await store.keysToChange(deletedBy: Make.time(9), after: nil, limit: 9)
                    #expect(due.map(\.id) == [id])
                }
            }
        }
    }

    @Test(
        "a change of keys seals everything anew, refuses what is sealed under the old one, and is due once",
        arguments: StoreUnderTest.all)
    func resealed(store kind: StoreUnderTest) async throws {
        try await inFolder { folder in
            let id = Make.id()
            let resealed = try await kind.open(folder).use { (store) async throws in
                let created = try await store.add(id)
                for number in 0..<450 {
                    _ = try await store.ask(Make.question("\(number)", in: id, by: "p\(number % 9)"))
                }
                let before = try await store.all(.seenBy(.moderator), of: id, pages: 100)
                _ = try await store.answer(before[1].id, in: id, "svar", request: "r")
                try await store.delete(before[0].id, in: id, by: nil, at: Make.time(9)) { _ in }
                let told = Told<StoredSession>()
                let session = try await store.reseal(id, to: 2, by: Self.seal) { told.add($0) }
                #expect(told.all == [session])
                #expect(session.keyVersion == 2 && session.hasOldKey && session.deletedSince == nil)
                #expect(session.sealedTitle == created.sealedTitle + Array(" anew".utf8))
                #expect(try await store.session(id) == session)
                // Sealing it anew once more changes nothing.
                #expect(try await store.reseal(id, to: 2, by: Self.seal) { told.add($0) } == session)

                let after = try await store.all(.seenBy(.moderator), of: id, pages: 100)
                #expect(after.map(\.number) == before.dropFirst().map(\.number))
                #expect(after.map(\.sealedText) == before.dropFirst().map { $0.sealedText + Array(" anew".utf8) })
                #expect(after[0].answers.map(\.sealedText) == [Make.bytes("svar") + Array(" anew".utf8)])
                #expect(after.allSatisfy { $0.keyVersion == 2 })
                #expect(await failure { _ = try await store.ask(Make.question("sent", in: id)) } == .keyChanged)
                _ = try await store.ask(Make.question("ny", in: id, keyVersion: 2))
                #expect(try await store.keysToChange(deletedBy: .distantPast, after: nil, limit: 9).map(\.id) == [id])
                try await store.noteOldKeyDestroyed(id)
                #expect(try await store.keysToChange(deletedBy: .distantFuture, after: nil, limit: 9).isEmpty)
                return try await store.all(.seenBy(.moderator), of: id, pages: 100)
            }
            try await kind.open(folder).use { (store) async throws in
                #expect(try await store.all(.seenBy(.moderator), of: id, pages: 100) == resealed)
                #expect(try await store.erase(id).counts == ContentCounts(questions: 451, answers: 1, events: 454))
            }
        }
    }

    @Test(
        "what is asked and deleted while everything is sealed anew is neither lost nor kept",
        arguments: StoreUnderTest.all)
    func meanwhile(store kind: StoreUnderTest) async throws {
        try await kind.run { (store) async throws in
            let id = try await store.add().id
            let questions = (0..<600).map { Make.question("\($0)", in: id, by: "p\($0 % 9)") }
            for question in questions { _ = try await store.ask(question) }
            try await store.delete(questions[0].id, in: id, by: nil, at: Make.time(9)) { _ in }
            async let resealed = store.reseal(id, to: 2, by: Self.seal) { _ in }
            var asked = 0
            for number in 0..<200 {
                let refusal = await failure { _ = try await store.ask(Make.question("ny \(number)", in: id)) }
                guard refusal == nil else {
                    #expect(refusal == .keyChanged)
                    break
                }
                asked += 1
                if number == 5 { try await store.delete(questions[1].id, in: id, by: nil, at: Make.time(10)) { _ in } }
            }
            let session = try await resealed
            let all = try await store.all(.seenBy(.moderator), of: id, pages: 200)
            #expect(all.count == 598 + asked)
            #expect(all.allSatisfy { $0.sealedText.suffix(5) == Array(" anew".utf8).suffix(5) })
            // Deleted before the copying ended, it is in gaps of the copy: for the next change of keys.
            if asked > 5 { #expect(session.deletedSince == Make.time(9) || session.deletedSince == nil) }
        }
    }
}
