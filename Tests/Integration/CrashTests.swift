import Contracts
import Foundation
import RPC
import Synchronization
import TestProcesses
import Testing

@Suite("Crashes and outages")
struct CrashTests {
    private static let writers = 24

    @Test("after kill -9 under load every acknowledged question is there, and none twice")
    func killedUnderLoad() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let acknowledged = Mutex<[String: String]>([:])
            for round in 0..<3 {
                try await askUntilKilled(samtal, session: session, round: round, acknowledged: acknowledged)
                try await samtal.start(.chat)
            }
            let before = acknowledged.withLock { $0 }
            #expect(before.count > 100)
            let kept = try await allQuestions(samtal, session: session, as: organisation.administrator)
            var byText: [String: [String]] = [:]
            for question in kept { byText[question.text, default: []].append(question.questionID) }
            for (text, questionID) in before { #expect(byText[text] == [questionID]) }
            #expect(byText.values.allSatisfy { $0.count == 1 })
        }
    }

    /// Writers ask, each its own questions, and repeat with the same request id what was not acknowledged.
    private func askUntilKilled(
        _ samtal: RunningSamtal, session: String, round: Int, acknowledged: borrowing Mutex<[String: String]>
    ) async throws {
        let start = acknowledged.withLock { $0.count }
        let answers = try await withThrowingTaskGroup(of: [(String, String)].self) { group in
            let counter = Counter()
            for writer in 0..<Self.writers {
                group.addTask {
                    let participant = try await samtal.join(session, name: "Deltagare \(writer)")
                    var answered: [(String, String)] = []
                    for number in 0... {
                        let text = "fråga \(round)-\(writer)-\(number)"
                        let request = ChatV1.AskQuestionRequest(
                            sessionID: session, text: text, requestID: "request-\(round)-\(writer)-\(number)")
                        do {
                            let question = try await samtal.chat.askQuestion(request, options: participant)
                            // Again, as a client does that never saw the answer: the same question comes back.
                            if number.isMultiple(of: 5) {
                                let again = try await samtal.chat.askQuestion(request, options: participant)
                                #expect(again.questionID == question.questionID)
                            }
                            answered.append((text, question.questionID))
                            counter.add()
                        } catch let error as RPCError {
                            #expect([.unavailable, .cancelled, .unknown, .deadlineExceeded].contains(error.code))
                            return answered
                        }
                    }
                    return answered
                }
            }
            group.addTask {
                try await eventually("questions are acknowledged", within: .seconds(60)) { counter.value >= 200 }
                try await samtal.end(.chat, signal: SIGKILL)
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        acknowledged.withLock { all in for (text, id) in answers { all[text] = id } }
        #expect(acknowledged.withLock { $0.count } > start)
    }

    private func allQuestions(
        _ samtal: RunningSamtal, session: String, as options: CallOptions
    ) async throws -> [ChatV1.Question] {
        var questions: [ChatV1.Question] = []
        var request = ChatV1.ListQuestionsRequest(sessionID: session, pageSize: 200)
        repeat {
            let page = try await samtal.chat.listQuestions(
                request, options: .init(metadata: options.metadata, timeout: .seconds(20)))
            questions += page.questions
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        return questions
    }

    @Test("chat that is told to stop tells its watchers to resume, and ends well")
    func drains() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let began = ContinuousClock.now
            do {
                for try await event in samtal.chat.watchSession(.init(sessionID: session)) {
                    if case .caughtUp = event.change { samtal.child(.chat)?.signal(SIGTERM) }
                }
                Issue.record("the stream ended without a word")
            } catch let error as RPCError {
                #expect(error.code == .outOfRange)
                #expect(error.reason == "RESUME")
            }
            #expect(try await samtal.child(.chat)?.wait() == 0)
            // Sooner than any time that a drain would wait for streams that never end.
            #expect(ContinuousClock.now - began < .seconds(5))
        }
    }

    @Test("with retention down an open chat goes on, and creating a session says so and names retention")
    func retentionDown() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let participant = try await samtal.join(session)
            try await samtal.end(.retention, signal: SIGKILL)

            let question = try await samtal.chat.askQuestion(
                .init(sessionID: session, text: "Går det ändå?", requestID: "request-1"), options: participant)
            let answered = try await samtal.chat.answerQuestion(
                .init(
                    sessionID: session, questionID: question.questionID, text: "Ja.", hostName: "Karin",
                    requestID: "request-2"),
                options: organisation.administrator)
            #expect(answered.answers.map(\.text) == ["Ja."])
            do {
                _ = try await samtal.chat.createSession(.init(title: "Ny"), options: organisation.administrator)
                Issue.record("a session was created without retention")
            } catch let error as RPCError {
                #expect(error.code == .unavailable)
                #expect(error.message.contains("retention"))
                #expect(error.reason == "NEIGHBOUR_UNAVAILABLE")
            }
            let ended = try await samtal.chat.endSession(
                .init(sessionID: session), options: organisation.administrator)
            #expect(ended.deleteTime != nil)

            // Back again, retention learns of the end by itself: only then can it erase.
            try await samtal.start(.retention)
            try await eventually("retention erases the ended session", within: .seconds(30)) {
                let erased = try? await samtal.retention.eraseSession(
                    .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
                return erased?.statement.contains("\"questions\":1") ?? false
            }
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
