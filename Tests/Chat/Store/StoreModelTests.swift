import ChatCore
import Foundation
import Testing

@testable import ChatServer

/// A session that random commands and crashes go through, held against a plain model of it. `SAMTAL_SEED` runs one again.
@Suite("A store, held against a model")
struct StoreModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds: [UInt64] = {
        if let seed = environment["SAMTAL_SEED"].flatMap(UInt64.init) { return [seed] }
        return (0..<(environment["SAMTAL_LONG"] == nil ? 50 : 1_000)).map { _ in .random(in: .min ... .max) }
    }()

    @Test("does what the model does, and loses nothing that it acknowledged")
    func runs() async throws {
        for seed in Self.seeds {
            let ended = await outcome {
                try await inFolder { folder in
                    var run = Run(seed: seed, folder)
                    try await run.play()
                }
            }
            if case .failure(let error) = ended {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }

    private struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    private struct Run {
        var random: SeededGenerator
        var folder: String
        let id = Make.id()
        let other = Make.id()
        var limits = ChatLimits()

        init(seed: UInt64, _ folder: String) {
            random = SeededGenerator(seed: seed)
            self.folder = folder
            limits.questionsPerSession = Int64.random(in: 5...60, using: &random)
            limits.questionsPerParticipant = Int.random(in: 2...20, using: &random)
            limits.answersPerQuestion = 2
            limits.eventsPerSession = Int64.random(in: 20...120, using: &random)
        }

        private mutating func open() async throws -> FileSessionStore {
            var small = StoreLimits()
            small.openFiles = 1
            small.threads = 2
            return try await fileStore(in: folder, limits: small)
        }

        mutating func play() async throws {
            var store = try await open()
            do {
                var model = SessionModel(try await store.add(id), limits: limits)
                try await store.add(other, of: "org-b")
                for step in 0..<Int.random(in: 20...150, using: &random) {
                    switch Int.random(in: 0..<40, using: &random) {
                    case 0:
                        await store.close()
                        store = try await open()
                    case 1:
                        // The process dies: what is on the disk now is what the next one finds.
                        let left = try copy(of: folder)
                        await store.close()
                        try FileManager.default.removeItem(atPath: folder)
                        folder = left
                        store = try await open()
                    case 2:
                        // Another session takes the only place for an open file.
                        _ = try await store.ask(Make.question("\(step)", in: other))
                    default: try await command(step, store, &model)
                    }
                    if step % 10 == 0 { try await compare(store, model) }
                }
                try await compare(store, model)
                let evidence = try await store.erase(id)
                try same(evidence.counts, model.counts, "what was erased")
                try same(try await store.feedPosition(of: other).session.id, other, "the other session")
            } catch {
                await store.close()
                throw error
            }
            await store.close()
            try? FileManager.default.removeItem(atPath: folder)
        }

        private mutating func command(_ step: Int, _ store: FileSessionStore, _ model: inout SessionModel) async throws
        {
            let (id, limits, version) = (id, limits, model.session.keyVersion)
            let questionID = model.questions.randomElement(using: &random)?.id ?? "none"
            switch Int.random(in: 0..<16, using: &random) {
            case 12, 13:
                let author = Bool.random(using: &random) ? nil : Make.digest("author anna")
                let expected = Result { () throws -> Bool in
                    try model.delete(questionID, by: author, at: Make.time(Double(step)))
                    return true
                }
                try same(
                    await outcome {
                        try await store.delete(questionID, in: id, by: author, at: Make.time(Double(step))) { _ in }
                        return true
                    }, expected, "deleting")
            case 14:
                let seal: @Sendable ([UInt8]) -> [UInt8] = { $0 + Array("+".utf8) }
                model.reseal(seal)
                let resealed = try await store.reseal(
                    id, to: version + 1, by: { sealed, _ in seal(sealed) }, onCommit: { _ in })
                try same(resealed, model.session, "sealing anew")
            case 0..<6:
                let question = Make.question(
                    "text \(step)", in: id, by: ["", "anna", "bo", "cia"].randomElement(using: &random)!,
                    request: "\(Int.random(in: 0..<60, using: &random))", at: Make.time(Double(step)),
                    keyVersion: model.session.keyVersion)
                let expected = Result { () throws -> Asked in try model.ask(question) }
                try same(
                    await outcome { try await store.ask(question, limits: limits) { _ in } }, expected, "asking")
            case 6..<9:
                let moderation = Moderation.allCases.randomElement(using: &random)!
                let expected = Result { () throws -> QuestionRecord in try model.moderate(questionID, by: moderation) }
                try same(
                    await outcome {
                        try await store.moderate(questionID, in: id, by: moderation, limits: limits) { _ in }
                    }, expected, "moderating")
            case 9..<11:
                let (answer, request) = (
                    Make.answer("svar \(step)"), Make.digest("\(Int.random(in: 0..<30, using: &random))")
                )
                let expected = Result { () throws -> QuestionRecord in
                    try model.answer(questionID, with: answer, keyVersion: version, request: request)
                }
                try same(
                    await outcome {
                        try await store.answer(
                            questionID, in: id, with: answer, keyVersion: version, request: request, limits: limits
                        ) { _ in }
                    }, expected, "answering")
            default:
                let ends = Int.random(in: 0..<4, using: &random) == 0
                let change: @Sendable (inout SessionRecord) throws -> Bool = { record in
                    ends ? record.end(at: Make.time(Double(step))) : try record.open(at: Make.time(Double(step)))
                }
                let expected = Result { try model.change(change) }
                try same(
                    await outcome { try await store.change(id, by: change) { _ in } }, expected, "changing the session")
            }
        }

        private mutating func compare(_ store: FileSessionStore, _ model: SessionModel) async throws {
            let pages = Int.random(in: 1...20, using: &random)
            try same(try await store.session(id), model.session, "the session")
            let position = try await store.feedPosition(of: id)
            try same(position.session, model.session, "the session in its file")
            try same(position.sequence, model.sequence, "the last sequence")
            let author = Make.digest("author anna")
            for selection in [
                QuestionSelection.seenBy(.moderator), .seenBy(.anyone), .seenBy(.author(author)), .askedBy(author),
            ] {
                try same(
                    try await store.all(selection, of: id, pages: pages), model.all(selection), "\(selection)")
            }
            let after = Int64.random(in: 0...model.sequence, using: &random)
            for audience in [Audience.everyone, .moderators, .author(author)] {
                try same(
                    try await store.feed(of: id, for: audience, after: after, pages: pages),
                    model.feed(for: audience, after: after), "\(audience) after \(after)")
            }
        }

        private func same<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
            guard found != expected else { return }
            throw Difference(description: "\(what): found \(found), expected \(expected)")
        }

        private func same<Value: Equatable>(
            _ found: Result<Value, any Error>, _ expected: Result<Value, any Error>, _ what: String
        ) throws {
            switch (found, expected) {
            case (.success(let found), .success(let expected)): try same(found, expected, what)
            case (.failure(let found as ChatError), .failure(let expected as ChatError)):
                try same(found, expected, what)
            default: throw Difference(description: "\(what): found \(found), expected \(expected)")
            }
        }
    }
}

private func outcome<Value>(_ body: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
