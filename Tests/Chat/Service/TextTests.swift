import Contracts
import RPC
import Testing

@Suite("Texts as they are kept")
struct TextTests {
    @Test(
        "pasted texts are answered, listed and followed as they were mended, and asking again finds the same question")
    func mended() async throws {
        try await World.withChat { _, chat in
            let administrator = try await chat.administrator()
            let session = try await chat.client.createSession(
                ChatV1.CreateSessionRequest(title: "Frågor\u{B}om\r\npension\u{C}"), options: administrator)
            #expect(session.title == "Frågor om pension")
            let id = session.sessionID
            _ = try await chat.client.openSession(ChatV1.OpenSessionRequest(sessionID: id), options: administrator)
            let participant = try await chat.join(id, name: "Eva\tExempel")

            let pasted = "\u{FEFF}När\u{B}då?\rHur?\r\n"
            let question = try await chat.ask(pasted, in: id, as: participant, requestID: "request-1")
            #expect(question.text == "När\ndå?\nHur?")
            #expect(question.authorName == "Eva Exempel")
            for text in [pasted, "När\ndå?\nHur?"] {
                #expect(try await chat.ask(text, in: id, as: participant, requestID: "request-1") == question)
            }
            #expect(try await chat.list(id, as: participant) == [question])

            let answered = try await chat.answer(question, "Nu.\u{2029}Så.", by: "Karin\u{2028}Exempel")
            #expect(answered.answers.map(\.text) == ["Nu.\nSå."])
            #expect(answered.answers.map(\.hostName) == ["Karin Exempel"])
            var events = chat.watch(id).makeAsyncIterator()
            let followed = try await events.untilCaughtUp().compactMap(\.question)
            #expect(followed.map(\.text) == ["När\ndå?\nHur?"])
        }
    }

    @Test("a name that shows nothing is none", arguments: ["", "\u{3164}", "\u{2060}", "\u{2800} \u{200D}"])
    func blankNames(name: String) async throws {
        try await World.withChat { _, chat in
            let id = try await chat.session()
            let question = try await chat.ask("Hej?", in: id, as: try await chat.join(id, name: name))
            #expect(question.authorName == "")
            #expect(try await chat.answer(question, "Svar", by: name).answers.map(\.hostName) == [""])
        }
    }
}
