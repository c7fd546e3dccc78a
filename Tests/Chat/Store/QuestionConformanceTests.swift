import ChatCore
import Foundation
import Synchronization
import Testing

@testable import ChatServer

@Suite("Any store of questions")
struct QuestionConformanceTests {
    @Test(
        "stores each request once, and tells of each event in the order of the commits", arguments: StoreUnderTest.all)
    func asked(store kind: StoreUnderTest) async throws {
        try await kind.run { (store) async throws in
            let id = try await store.add().id
            let told = Told<Int64>()
            let questions = (0..<40).map {
                Make.question("\($0 % 20)", in: id, by: "p\($0 % 4)", request: "\($0 % 20)")
            }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for question in questions {
                    tasks.addTask {
                        _ = try await store.ask(question, limits: ChatLimits()) { sequence in
                            told.add(sequence)
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            // Twenty requests, each made twice.
            #expect(told.all == Array(2...21))
            let stored = try await store.all(.seenBy(.moderator), of: id)
            #expect(stored.map(\.number) == Array(1...20))
            #expect(Set(stored.map(\.sealedText)).count == 20)
            #expect(stored.map(\.lastSequence) == Array(2...21))
            guard case .repeated(let first) = try await store.ask(questions[7]) else {
                Issue.record("stored twice")
                return
            }
            #expect(stored.contains(first))
            #expect(try await store.number(of: first.id, in: id) == first.number)
            #expect(try await store.number(of: QuestionIdentifier.make(at: Make.time(1)), in: id) == nil)
        }
    }

    @Test("refuses what is beyond a bound, but never what it stored before", arguments: StoreUnderTest.all)
    func bounds(store kind: StoreUnderTest) async throws {
        try await inFolder { folder in
            let id = Make.id()
            var limits = ChatLimits()
            limits.questionsPerSession = 5
            limits.questionsPerParticipant = 3
            limits.answersPerQuestion = 2
            limits.eventsPerSession = 9
            let first = Make.question("0", in: id)
            for isOpenedAgain in [false, true] {
                try await kind.open(folder).use { (store) async throws in
                    if !isOpenedAgain {
                        try await store.add(id)
                        for number in 0..<3 {
                            _ = try await store.ask(
                                number == 0 ? first : Make.question("\(number)", in: id), limits: limits)
                        }
                    }
                    let ask = { (author: String) in
                        await failure {
                            _ = try await store.ask(Make.question("mer", in: id, by: author), limits: limits)
                        }
                    }
                    #expect(await ask("anna") == (isOpenedAgain ? .tooManyQuestions : .tooManyQuestionsFromParticipant))
                    if !isOpenedAgain {
                        for author in ["bo", "cia"] { #expect(await ask(author) == nil) }
                    }
                    #expect(await ask("dan") == .tooManyQuestions)
                    guard case .repeated(let stored) = try await store.ask(first, limits: limits) else {
                        Issue.record("a request that was carried out is refused")
                        return
                    }
                    #expect(stored.id == first.id)
                    let answer = { (request: String) in
                        await failure { [limits] in
                            _ = try await store.answer(
                                stored.id, in: id, with: Make.answer("svar"), keyVersion: 1,
                                request: Make.digest(request),
                                limits: limits
                            ) { _ in }
                        }
                    }
                    for request in ["1", "2"] { #expect(await answer(request) == nil) }
                    #expect(await answer("3") == .tooManyAnswers)
                    #expect(try await store.all(.seenBy(.anyone), of: id).first?.answers.count == 2)
                    if isOpenedAgain {
                        _ = try await store.moderate(stored.id, in: id, by: .reject, limits: limits) { _ in }
                        let full = await failure { [limits] in
                            _ = try await store.moderate(stored.id, in: id, by: .publish, limits: limits) { _ in }
                        }
                        #expect(full == .tooManyEvents)
                        _ = try await store.end(id)
                        #expect(await ask("eva") == .sessionEnded)
                        guard case .repeated = try await store.ask(first, limits: limits) else {
                            Issue.record("a request that was carried out is refused after the end")
                            return
                        }
                    }
                }
            }
        }
    }

    @Test(
        "shows each viewer what is theirs to see, by the page, and each audience what changed, in order",
        arguments: StoreUnderTest.all)
    func seen(store kind: StoreUnderTest) async throws {
        try await kind.run { (store) async throws in
            let id = try await store.add().id
            var all: [QuestionRecord] = []
            for number in 0..<30 {
                let question = Make.question("\(number)", in: id, by: ["anna", "bo", "cia"][number % 3])
                _ = try await store.ask(question)
                switch number % 5 {
                case 1: _ = try await store.moderate(question.id, in: id, by: .publish)
                case 2: _ = try await store.moderate(question.id, in: id, by: .reject)
                case 3: _ = try await store.answer(question.id, in: id, "svar \(number)", request: "r\(number)")
                case 4:
                    _ = try await store.moderate(question.id, in: id, by: .publish)
                    _ = try await store.moderate(question.id, in: id, by: .reject)
                default: break
                }
            }
            all = try await store.all(.seenBy(.moderator), of: id, pages: 7)
            #expect(all.count == 30 && all.map(\.number) == Array(1...30))
            #expect(all.map(\.version) == (0..<30).map { [1, 2, 2, 2, 3][$0 % 5] })
            let anna = all[0].author
            for viewer in [Viewer.anyone, .author(anna), .moderator] {
                let expected = all.filter { viewer.sees($0.state, by: $0.author) }
                #expect(try await store.all(.seenBy(viewer), of: id) == expected)
            }
            #expect(try await store.all(.askedBy(anna), of: id) == all.filter { $0.author == anna })

            let last = try await store.feedPosition(of: id).sequence
            #expect(last == Int64(1 + 30 + 6 * 5))
            for audience in [Audience.everyone, .author(anna), .moderators] {
                let concerned = all.sorted { $0.lastSequence < $1.lastSequence }.filter { question in
                    switch audience {
                    case .everyone: question.wasPublished
                    case .moderators: true
                    case .author: question.author == anna
                    }
                }
                for after in [0, last / 2, last] {
                    let shown = try await store.feed(of: id, for: audience, after: after)
                    #expect(shown == concerned.filter { $0.lastSequence > after })
                }
            }
            let byBytes = try await store.questions(
                .seenBy(.moderator), of: id, after: 0, bound: BatchBound(questions: 30, bytes: 1))
            #expect(byBytes.questions.count == 1 && !byBytes.isLast)
        }
    }

    @Test(
        "carries an answer's request out once, and tells of moderation that changes something",
        arguments: StoreUnderTest.all)
    func moderated(store kind: StoreUnderTest) async throws {
        try await kind.run { (store) async throws in
            let id = try await store.add().id
            let question = Make.question("?", in: id)
            _ = try await store.ask(question)
            let told = Told<QuestionRecord>()
            let tell: @Sendable (QuestionRecord) -> Void = { record in told.add(record) }
            for _ in 0..<2 {
                _ = try await store.answer(
                    question.id, in: id, with: Make.answer("svar"), keyVersion: 1, request: Make.digest("r"),
                    limits: ChatLimits(),
                    onCommit: tell)
                _ = try await store.moderate(
                    question.id, in: id, by: .publish, limits: ChatLimits(), onCommit: tell)
            }
            let published = try #require(told.all.first)
            #expect(told.all.count == 1)
            #expect(published.state == .published && published.version == 2 && published.answers.count == 1)
            let rejected = try await store.moderate(question.id, in: id, by: .reject)
            #expect(rejected.version == 3 && rejected.wasPublished)
            let refused = await failure { _ = try await store.answer(question.id, in: id, "till", request: "s") }
            #expect(refused == .questionRejected)
            #expect(await failure { _ = try await store.moderate("q", in: id, by: .publish) } == .questionNotFound)
            #expect(try await store.all(.seenBy(.moderator), of: id) == [rejected])
        }
    }
}
