import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("Deleting a question, through all services")
struct DeletionTests {
    private func delete(
        _ question: ChatV1.Question, in samtal: RunningSamtal, _ headers: [String: String]
    ) async throws -> Int {
        let path = "/v1/sessions/\(question.sessionID)/questions/\(question.questionID)"
        var request = URLRequest(url: try #require(URL(string: try samtal.httpAddress() + path)))
        request.httpMethod = "DELETE"
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (_, response) = try await URLSession.shared.data(for: request)
        return (response as? HTTPURLResponse)?.statusCode ?? 0
    }

    @Test(
        "is for its author and moderators, and the key that sealed it is destroyed by retention, also when processes die"
    )
    func deleted() async throws {
        try await RunningSamtal.with(chatOptions: ["--key-change-delay", "0"]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let (author, other) = (try await samtal.join(session, name: "Ada"), try await samtal.join(session))
            var questions: [ChatV1.Question] = []
            for number in 0..<4 {
                questions.append(
                    try await samtal.chat.askQuestion(
                        .init(sessionID: session, text: "Fråga \(number)?", requestID: "request-\(number)"),
                        options: author))
            }
            func header(_ options: CallOptions) -> [String: String] {
                ["Samtal-Participant": options.metadata[first: "samtal-participant"] ?? ""]
            }
            let first = try await samtal.retention.getSessionKey(.init(sessionID: session))
            #expect(try await delete(questions[0], in: samtal, header(other)) == 404)
            #expect(try await delete(questions[0], in: samtal, [:]) == 401)
            #expect(try await delete(questions[0], in: samtal, header(author)) == 200)
            try await eventually("the key is changed") {
                try await samtal.retention.getSessionKey(.init(sessionID: session)).keyVersion == 2
            }
            let second = try await samtal.retention.getSessionKey(.init(sessionID: session))
            #expect(second.key != first.key && second.tokenKey == first.tokenKey && second.nextKey.isEmpty)

            // Retention is away when the next one is deleted; chat is killed before it is back.
            try await samtal.end(.retention, signal: SIGTERM)
            let administrator = ["Authorization": "Bearer \(organisation.accessToken)"]
            #expect(try await delete(questions[1], in: samtal, administrator) == 200)
            try await samtal.end(.chat, signal: SIGKILL)
            try await samtal.start(.retention)
            try await samtal.start(.chat)
            try await eventually("the key is changed again") {
                try await samtal.retention.getSessionKey(.init(sessionID: session)).keyVersion == 3
            }
            let listed = try await samtal.chat.listQuestions(
                .init(sessionID: session), options: organisation.administrator)
            #expect(listed.questions == Array(questions[2...]))
            _ = try await samtal.chat.askQuestion(
                .init(sessionID: session, text: "En till?", requestID: "request-9"), options: author)

            _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
            let certificate = try await samtal.retention.eraseSession(
                .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
            #expect(certificate.statement.contains("\"questions\":5"))
        }
    }
}
