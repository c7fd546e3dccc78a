import Contracts
import Foundation
import RPC
import RetentionCore
import Testing

/// Invented questions, some of them hostile to whoever exports them.
enum Questions {
    static let some: [ChatV1.Question] = [
        question(1, "When does the ferry leave?", author: "Astrid Exempel", answers: ["At noon.", "And at six."]),
        question(2, "=HYPERLINK(\"http://example.org\")", author: "@example", answers: []),
        question(3, "Two\r\nlines, a \"quote\", and a tab\there", author: "", answers: ["-1+1"]),
        question(4, "Åäö 😀 \u{2028} \u{feff} – done", author: "+46", answers: []),
    ]

    static let counts = ErasedCounts(questions: 4, answers: 3, events: 5)

    static func question(_ number: Int, _ text: String, author: String, answers: [String]) -> ChatV1.Question {
        var question = ChatV1.Question()
        question.questionID = "question-\(number)"
        question.sessionID = "session-1"
        question.state = answers.isEmpty ? .pending : .published
        question.text = text
        question.authorName = author
        question.askTime = GoogleProtobuf.Timestamp(seconds: 1_789_999_000 + Int64(number), nanos: 250_000_000)
        question.version = 1
        question.answers = answers.enumerated().map { index, text in
            var answer = ChatV1.Answer()
            answer.answerID = "answer-\(number)-\(index)"
            answer.text = text
            answer.hostName = "Harbour master"
            answer.answerTime = GoogleProtobuf.Timestamp(seconds: 1_789_999_500, nanos: 0)
            return answer
        }
        return question
    }

    /// Random, so that it hardly compresses.
    static func incompressible(_ count: Int) -> [ChatV1.Question] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { number in
            let text = (0..<25).map { _ in String(generator.next(), radix: 36) }.joined(separator: " ")
            return question(number, text, author: "Astrid Exempel", answers: ["Yes."])
        }
    }
}

/// Looks for a key in every file of retention's, as it is and in the ways it might be written.
func expectNoTrace(of key: [UInt8], in folder: TestFolder, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let hex = key.map { String(format: "%02x", $0) }.joined()
    let forms = [
        Data(key), Data(hex.utf8), Data(hex.uppercased().utf8), Data(key).base64EncodedData(),
        Data(key.prefix(16)), Data(key.suffix(16)),
    ]
    for (name, content) in try folder.retentionFiles() {
        for form in forms {
            #expect(content.range(of: form) == nil, "\(name)", sourceLocation: sourceLocation)
        }
    }
}
