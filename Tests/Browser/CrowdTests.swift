import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

extension Chromium {
    @Suite("A crowd in a browser")
    struct CrowdTests {
        /// Few, a tenth, and as many as the pages are to carry.
        private static let counts = [500, 2_000, 20_000]

        @Test("20,000 questions are as fluid as 500, on the moderators' page and on the participants'")
        func fluid() async throws {
            try await RunningSamtal.with { samtal in
                var organisation = try await TestOrganisation.create(in: samtal)
                var sessions: [(id: String, questions: [String])] = []
                for count in Self.counts {
                    let id = try await organisation.openSession(in: samtal, title: "\(count) frågor")
                    sessions.append((id, try await ask(count, in: id, of: samtal)))
                }
                let arguments = zip(sessions, Self.counts).flatMap { [$0.id, "\($1)"] }
                let moderator = try await BrowserProgram.run(
                    "crowd.py", ["moderator"], arguments, in: samtal, atMost: .seconds(540))
                #expect(
                    moderator.status == 0 && moderator.printed.contains("all of it was seen"),
                    "\(moderator.printed.suffix(4000))")
                print(moderator.printed)

                // On a slow machine the first has run out by now.
                organisation = try await TestOrganisation.signedIn(
                    in: samtal, organisationID: organisation.organisationID)
                try await publishAll(in: samtal, sessions: sessions.map(\.id), by: organisation)
                // Three more have come to the first and the last while the moderators' page was looked at.
                let later = zip(sessions, [503, 2_000, 20_003]).flatMap { [$0.id, "\($1)"] }
                let participant = try await BrowserProgram.run(
                    "crowd.py", ["participant"], later, in: samtal, atMost: .seconds(540))
                #expect(
                    participant.status == 0 && participant.printed.contains("all of it was seen"),
                    "\(participant.printed.suffix(4000))")
                print(participant.printed)
            }
        }

        /// So many short questions, by participants who each ask as many as one may.
        private func ask(_ count: Int, in session: String, of samtal: RunningSamtal) async throws -> [String] {
            try await withThrowingTaskGroup(of: [String].self) { tasks in
                for first in stride(from: 0, to: count, by: 500) {
                    tasks.addTask {
                        // Without a deadline: one of these would be for all of the calls together.
                        let participant = CallOptions(metadata: try await samtal.join(session, name: "Alva").metadata)
                        var asked: [String] = []
                        for number in first..<min(first + 500, count) {
                            let padded = String("0000\(number)".suffix(5))
                            let question = try await samtal.chat.askQuestion(
                                .init(
                                    sessionID: session, text: "Fråga \(padded): hur blir det med elpriset?",
                                    requestID: "request-\(number)"), options: participant)
                            asked.append(question.questionID)
                        }
                        return asked
                    }
                }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
        }

        private func publishAll(
            in samtal: RunningSamtal, sessions: [String], by organisation: TestOrganisation
        ) async throws {
            let options = CallOptions(metadata: organisation.administrator.metadata)
            for session in sessions {
                var page = ""
                repeat {
                    let listed = try await samtal.chat.listQuestions(
                        .init(sessionID: session, pageSize: 200, pageToken: page), options: options)
                    try await withThrowingTaskGroup(of: Void.self) { tasks in
                        for question in listed.questions where question.state != .published {
                            tasks.addTask {
                                _ = try await samtal.chat.publishQuestion(
                                    .init(sessionID: session, questionID: question.questionID),
                                    options: options)
                            }
                        }
                        try await tasks.waitForAll()
                    }
                    page = listed.nextPageToken
                } while !page.isEmpty
            }
        }
    }
}
