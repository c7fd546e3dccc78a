import Contracts
import RPC

enum Samples {
    static let time = GoogleProtobuf.Timestamp(seconds: 1_769_860_800, nanos: 250_000_000)

    static let answer = ChatV1.Answer(
        answerID: "answer-1", text: "Ja, men först i höst. 🍁", hostName: "Elsa Exempel", answerTime: time)

    static let question = ChatV1.Question(
        questionID: "question-1", sessionID: "session-1", state: .published, text: "När börjar det?\n\"Snart\"?",
        authorName: "", askTime: time, version: 18_446_744_073_709_551_615, answers: [answer, ChatV1.Answer()])
}
