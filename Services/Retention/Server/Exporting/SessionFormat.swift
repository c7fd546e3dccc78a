import Contracts
import Foundation
import ProtobufC
import RPC
import RetentionCore

/// One of the files that a session's log is exported as, written from front to back.
protocol SessionFormat {
    var fileName: String { get }
    mutating func beginning(_ session: ChatV1.Session) -> [UInt8]
    mutating func part(_ question: ChatV1.Question) -> [UInt8]
    mutating func end() -> [UInt8]
}

/// One JSON document with the session and its questions in the order asked, each in the proto3-JSON of its message:
/// `{"format":"samtal-session-export","version":1,"session":{…},"questions":[{…},…]}`.
struct SessionJSON: SessionFormat {
    let fileName = "session.json"
    private var isFirst = true

    mutating func beginning(_ session: ChatV1.Session) -> [UInt8] {
        Array(#"{"format":"samtal-session-export","version":1,"session":"#.utf8) + session.jsonUTF8()
            + Array(#","questions":["#.utf8)
    }

    mutating func part(_ question: ChatV1.Question) -> [UInt8] {
        defer { isFirst = false }
        return Array((isFirst ? "\n" : ",\n").utf8) + question.jsonUTF8()
    }

    mutating func end() -> [UInt8] {
        Array("]}\n".utf8)
    }
}

/// A table with one row for each answer, and one for each question without any; see `CSVRow` for how a field is
/// written.
struct QuestionsCSV: SessionFormat {
    let fileName = "questions.csv"

    mutating func beginning(_ session: ChatV1.Session) -> [UInt8] {
        CSVRow.byteOrderMark
            + CSVRow.encoded([
                "question_id", "state", "ask_time", "author_name", "question", "answer_number", "answer_id",
                "answer_time", "host_name", "answer",
            ])
    }

    mutating func part(_ question: ChatV1.Question) -> [UInt8] {
        let cells = [
            question.questionID, Self.name(question.state), Self.text(question.askTime?.date), question.authorName,
            question.text,
        ]
        guard !question.answers.isEmpty else { return CSVRow.encoded(cells + ["", "", "", "", ""]) }
        return question.answers.enumerated().flatMap { index, answer in
            CSVRow.encoded(
                cells + [
                    String(index + 1), answer.answerID, Self.text(answer.answerTime?.date), answer.hostName,
                    answer.text,
                ])
        }
    }

    mutating func end() -> [UInt8] { [] }

    private static func text(_ time: Date?) -> String {
        time.map(LedgerTime.text) ?? ""
    }

    private static func name(_ state: ChatV1.QuestionState) -> String {
        switch state {
        case .pending: "pending"
        case .published: "published"
        case .rejected: "rejected"
        case .unspecified, .unrecognised: ""
        }
    }
}
