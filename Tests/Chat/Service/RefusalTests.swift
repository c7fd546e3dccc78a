import ChatCore
import ChatServer
import Contracts
import Foundation
import RPC
import Testing

@Suite("What chat refuses")
struct RefusalTests {
    @Test("a participant's token is of its own session")
    func otherSession() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let elsewhere = try await chat.join(try await chat.session())
            let asking = await status { _ = try await chat.ask("Hej?", in: id, as: elsewhere) }
            let listing = await status { _ = try await chat.list(id, as: elsewhere) }
            let watching = await status { for try await _ in chat.watch(id, as: elsewhere) {} }
            for refusal in [asking, listing, watching] {
                #expect(refusal?.code == .permissionDenied)
                #expect(refusal?.reason == "TOKEN_OTHER_SESSION")
            }
        }
    }

    @Test("tokens that are not tokens are refused", arguments: ["", ".", "x", "a-1.", "a-1.AAAA", "\u{7F}", "å"])
    func brokenTokens(token: String) async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            for text in [token, "\(id).\(token)", "\(id).AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
                let refusal = await status { _ = try await chat.ask("Hej?", in: id, as: Chat.participant(text)) }
                #expect(refusal != nil)
                #expect([.unauthenticated, .notFound, .invalidArgument, .internal].contains(refusal?.code))
                #expect(refusal?.code != .internal)
            }
        }
    }

    @Test("every changed character of a token is noticed")
    func changedToken() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let token = try await chat.client.joinSession(.init(sessionID: id, displayName: "Eva")).participantToken
            let sealed = token.dropFirst(id.count + 1)
            for offset in stride(from: 0, to: sealed.count, by: 7) {
                var changed = Array(sealed)
                changed[offset] = changed[offset] == "A" ? "B" : "A"
                let refusal = await status {
                    _ = try await chat.ask("Hej?", in: id, as: Chat.participant("\(id).\(String(changed))"))
                }
                #expect(refusal?.code == .unauthenticated)
                #expect(refusal?.reason == "TOKEN_INVALID")
            }
        }
    }

    @Test("who may do what follows the access table")
    func principals() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let participant = try await chat.join(id)
            let question = try await chat.ask("Hej?", in: id, as: participant)
            let asNobody = await status { _ = try await chat.ask("Hej?", in: id, as: CallOptions()) }
            #expect(asNobody?.code == .unauthenticated)
            let asAdministrator = await status {
                _ = try await chat.ask("Hej?", in: id, as: try await chat.administrator())
            }
            #expect(asAdministrator?.code == .permissionDenied)
            let publishing = await status {
                _ = try await chat.client.publishQuestion(
                    .init(sessionID: id, questionID: question.questionID), options: participant)
            }
            #expect(publishing?.code == .permissionDenied)
            let moderating = await status { for try await _ in chat.watch(id, .moderators) {} }
            #expect(moderating?.code == .unauthenticated)
            let moderatingAsParticipant = await status {
                for try await _ in chat.watch(id, .moderators, as: participant) {}
            }
            #expect(moderatingAsParticipant?.code == .permissionDenied)
        }
    }

    @Test("fields out of bounds are named")
    func fields() async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let participant = try await chat.join(id)
            let question = try await chat.ask("Hej?", in: id, as: participant)
            let administrator = try await chat.administrator()
            let long = String(repeating: "å", count: 2_001)
            let longID = String(repeating: "a", count: 65)
            // Sixty characters to a reader, a kilobyte to a token.
            let stacked = String(repeating: "a" + String(repeating: "\u{0301}", count: 9), count: 60)
            let marks = String(repeating: "\u{0301}", count: 32)
            func ask(_ text: String, _ request: String) -> @Sendable () async throws -> Void {
                { _ = try await chat.ask(text, in: id, as: participant, requestID: request) }
            }
            func answer(_ text: String, _ host: String, _ request: String) -> @Sendable () async throws -> Void {
                { _ = try await chat.answer(question, text, by: host, requestID: request) }
            }
            let cases: [(field: String, call: @Sendable () async throws -> Void)] = [
                ("title", { _ = try await chat.session(title: " \n ") }),
                ("title", { _ = try await chat.session(title: "\u{2800}") }),
                ("title", { _ = try await chat.session(title: String(repeating: "x", count: 201)) }),
                ("title", { _ = try await chat.session(title: "a\u{0}b") }),
                ("title", { _ = try await chat.session(title: "a\u{202E}b") }),
                ("session_id", { _ = try await chat.client.getSession(.init(sessionID: "")) }),
                ("session_id", { _ = try await chat.client.getSession(.init(sessionID: "../a")) }),
                ("session_id", { _ = try await chat.client.getSession(.init(sessionID: longID)) }),
                ("session_id", { for try await _ in chat.watch("'; DROP TABLE session; --") {} }),
                ("display_name", { _ = try await chat.join(id, name: String(repeating: "x", count: 61)) }),
                ("display_name", { _ = try await chat.join(id, name: "a\u{202E}b") }),
                ("display_name", { _ = try await chat.join(id, name: "a" + marks) }),
                ("display_name", { _ = try await chat.join(id, name: stacked) }),
                ("text", ask("", "request-1")),
                ("text", ask("\u{2060}", "request-1")),
                ("text", ask("Hej" + marks, "request-1")),
                ("text", ask(long, "request-1")),
                ("text", ask("bell\u{7}", "request-1")),
                ("request_id", ask("Hej?", "")),
                ("request_id", ask("Hej?", "short")),
                ("request_id", ask("Hej?", String(repeating: "x", count: 65))),
                ("request_id", ask("Hej?", "with space")),
                ("text", answer("", "", "request-1")),
                ("text", answer("\u{3164}\r\n", "", "request-1")),
                ("host_name", answer("Svar", "\u{1B}[2J", "request-1")),
                ("text", answer(String(repeating: "x", count: 10_001), "", "request-1")),
                ("host_name", answer("Svar", String(repeating: "x", count: 61), "request-1")),
                ("request_id", answer("Svar", "", "räksmörgås")),
                (
                    "question_id",
                    {
                        _ = try await chat.client.publishQuestion(
                            .init(sessionID: id, questionID: "Å"), options: administrator)
                    }
                ),
                ("page_token", { _ = try await chat.client.listQuestions(.init(sessionID: id, pageToken: "!")) }),
                ("page_token", { _ = try await chat.client.listQuestions(.init(sessionID: id, pageToken: "YWJj")) }),
                (
                    "page_token",
                    { _ = try await chat.client.listSessions(.init(pageToken: "YWJj"), options: administrator) }
                ),
                (
                    "page_token",
                    {
                        // A time that can't be counted in milliseconds: "9223372036854775807 a".
                        let token = "OTIyMzM3MjAzNjg1NDc3NTgwNyBh"
                        _ = try await chat.client.listSessions(.init(pageToken: token), options: administrator)
                    }
                ),
                (
                    "audience", { for try await _ in chat.watch(id, .unrecognised(77), as: administrator) {} }
                ),
            ]
            for (field, call) in cases {
                let refusal = await status(of: call)
                #expect(refusal?.code == .invalidArgument, "\(field): \(String(describing: refusal))")
                #expect(refusal?.fields.map(\.field) == [field])
            }
            #expect(try await chat.list(id, as: administrator) == [question])
        }
    }

    @Test("texts at their bounds are taken whole, characters being what people count")
    func bounds() async throws {
        try await World.withChat { _, chat in
            let family = "👩‍👩‍👧‍👦"
            let id = try await chat.session(title: String(repeating: "å", count: 200))
            let participant = try await chat.join(id, name: String(repeating: "ö", count: 60))
            let text = String(repeating: family, count: 300)
            let question = try await chat.ask(text, in: id, as: participant)
            #expect(question.text == text)
            let two = try await chat.ask(String(repeating: "x", count: 2_000), in: id, as: participant)
            #expect(two.text.count == 2_000)
            let answered = try await chat.answer(two, String(repeating: "ä", count: 10_000), by: "Ö")
            #expect(answered.answers[0].text.count == 10_000)
            #expect(try await chat.list(id, as: participant) == [question, answered])
        }
    }

    @Test("a question takes a bounded number of answers")
    func answerLimit() async throws {
        var settings = try ChatSettings()
        settings.limits.answersPerQuestion = 2
        try await World.withChat(settings) { _, chat in
            let id = try await chat.session()
            let question = try await chat.ask("Hej?", in: id, as: try await chat.join(id))
            _ = try await chat.answer(question, "Ett")
            _ = try await chat.answer(question, "Två")
            let refusal = await status { _ = try await chat.answer(question, "Tre") }
            #expect(refusal?.code == .resourceExhausted)
            #expect(refusal?.reason == "QUESTION_FULL")
        }
    }

    @Test("a question of another session is not found in this one")
    func questionOfOtherSession() async throws {
        try await World.withChat { _, chat in
            let one = try await chat.session()
            let two = try await chat.session()
            let question = try await chat.ask("Hej?", in: one, as: try await chat.join(one))
            let refusal = await status {
                _ = try await chat.client.publishQuestion(
                    .init(sessionID: two, questionID: question.questionID), options: try await chat.administrator())
            }
            #expect(refusal?.code == .notFound)
            #expect(refusal?.reason == "QUESTION_NOT_FOUND")
        }
    }
}
