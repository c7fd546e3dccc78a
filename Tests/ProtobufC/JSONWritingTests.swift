import Contracts
import ProtobufC
import RPC
import Testing

@Suite("Writing JSON, and JSON without types")
struct JSONWritingTests {
    private func json(_ message: some ProtobufMessage) -> String {
        String(decoding: message.jsonUTF8(), as: UTF8.self)
    }

    @Test("names are lowerCamelCase, wide numbers are strings, defaults are left out")
    func shape() {
        let question = ChatV1.Question(
            questionID: "q", state: .pending, text: "å\"\\\n\u{1}🍁", askTime: Samples.time, version: 3,
            answers: [ChatV1.Answer(text: "a"), ChatV1.Answer()])
        #expect(
            json(question) == #"{"questionId":"q","state":"PENDING","text":"å\"\\\n\u0001🍁","#
                + #""askTime":"2026-01-31T12:00:00.250Z","version":"3","answers":[{"text":"a"},{}]}"#)
        #expect(json(ChatV1.Question()) == "{}")
        #expect(json(ChatV1.Question(state: .unrecognised(9))) == #"{"state":9}"#)
        #expect(json(RetentionV1.ExportChunk(data: [0xfb, 0xff])) == #"{"data":"+/8="}"#)
        #expect(json(RetentionV1.Policy(retentionDays: 30)) == #"{"retentionDays":30}"#)
        #expect(json(ChatV1.SessionEvent(change: .caughtUp(false))) == #"{"caughtUp":false}"#)
    }

    @Test("durations are written and read in seconds")
    func durations() throws {
        let cases: [(Int64, Int32, String)] = [
            (1, 500_000_000, "1.500s"), (0, 0, "0s"), (-1, -1000, "-1.000001s"), (0, -1, "-0.000000001s"),
        ]
        for (seconds, nanos, text) in cases {
            let info = GoogleRPC.RetryInfo(retryDelay: GoogleProtobuf.Duration(seconds: seconds, nanos: nanos))
            #expect(json(info) == #"{"retryDelay":"\#(text)"}"#)
            #expect(try GoogleRPC.RetryInfo(jsonUTF8: info.jsonUTF8()) == info)
        }
        for wrong in ["1.5", "s", "1,5s", "1.0000000001s", "999999999999s"] {
            let error = failure { () throws(ProtobufError) in
                try GoogleRPC.RetryInfo(jsonUTF8: Array(#"{"retryDelay":"\#(wrong)"}"#.utf8))
            }
            #expect(error?.field == "retry_delay", "\(wrong)")
        }
    }

    @Test("every day from 1600 to 2400 is written and read the same")
    func days() throws {
        for day in stride(from: Int64(-135_140), to: 157_054, by: 13) {
            let session = ChatV1.Session(createTime: GoogleProtobuf.Timestamp(seconds: day * 86_400 + 86_399, nanos: 0))
            #expect(try ChatV1.Session(jsonUTF8: session.jsonUTF8()) == session)
        }
        let epoch = ChatV1.Session(createTime: GoogleProtobuf.Timestamp())
        #expect(json(epoch) == #"{"createTime":"1970-01-01T00:00:00Z"}"#)
    }

    @Test("bytes become the same JSON with and without the type")
    func withoutType() throws {
        let descriptor = ChatV1.Question.descriptor
        #expect(try descriptor.json(fromSerialized: Samples.question.serialized()) == Samples.question.jsonUTF8())
        let bytes = try descriptor.serialized(fromJSON: Samples.question.jsonUTF8(), overrides: [])
        #expect(try ChatV1.Question(serialized: bytes) == Samples.question)
        #expect(descriptor.name == "samtal.chat.v1.Question")
    }

    @Test("fields of the URL replace what the body says")
    func overrides() throws {
        let body = Array(#"{"sessionId": "body", "text": "hello"}"#.utf8)
        let bytes = try ChatV1.AskQuestionRequest.descriptor.serialized(
            fromJSON: body, overrides: [("session_id", "url")])
        #expect(
            try ChatV1.AskQuestionRequest(serialized: bytes)
                == ChatV1.AskQuestionRequest(sessionID: "url", text: "hello"))
    }

    @Test("the URL sets numbers, enums, times and nested fields, also without a body")
    func overriddenTypes() throws {
        let watch = try ChatV1.WatchSessionRequest.descriptor.serialized(
            fromJSON: [], overrides: [("position", "12"), ("audience", "MODERATORS"), ("sessionId", "s")])
        #expect(
            try ChatV1.WatchSessionRequest(serialized: watch)
                == ChatV1.WatchSessionRequest(sessionID: "s", position: "12", audience: .moderators))
        let list = try ChatV1.ListQuestionsRequest.descriptor.serialized(fromJSON: [], overrides: [("pageSize", "12")])
        #expect(try ChatV1.ListQuestionsRequest(serialized: list).pageSize == 12)
        let event = try ChatV1.SessionEvent.descriptor.serialized(
            fromJSON: Array(#"{"caughtUp": true}"#.utf8),
            overrides: [("question.version", "2"), ("question.ask_time", "1970-01-01T00:00:01Z")])
        #expect(
            try ChatV1.SessionEvent(serialized: event).change
                == .question(ChatV1.Question(askTime: GoogleProtobuf.Timestamp(seconds: 1, nanos: 0), version: 2)))
    }

    @Test(
        "what the URL can't set is refused with the field",
        arguments: [
            ("nothing", "1", "nothing"), ("page_size", "-1", "page_size"), ("page_size", "", "page_size"),
            ("session_id.x", "1", "session_id"), ("own", "ALL", "own"), ("", "1", "?"),
            ("session_id", "\0", "session_id"),
        ])
    func refusedOverrides(field: String, value: String, reported: String) {
        let error = failure { () throws(ProtobufError) in
            try ChatV1.ListQuestionsRequest.descriptor.serialized(fromJSON: [], overrides: [(field, value)])
        }
        #expect(error?.field == reported)
        let audience = failure { () throws(ProtobufError) in
            try ChatV1.WatchSessionRequest.descriptor.serialized(fromJSON: [], overrides: [("audience", "ALL")])
        }
        #expect(audience?.field == "audience")
    }

    @Test("a list or a whole message can't be set in a URL")
    func refusedShapes() {
        for field in ["answers", "answers.text", "ask_time.seconds"] {
            let error = failure { () throws(ProtobufError) in
                try ChatV1.Question.descriptor.serialized(fromJSON: [], overrides: [(field, "1")])
            }
            #expect(error != nil, "\(field)")
        }
    }
}
