import Contracts
import ProtobufC
import RPC
import Testing

@Suite("Reading JSON")
struct JSONReadingTests {
    private func question(_ json: String) throws(ProtobufError) -> ChatV1.Question {
        try ChatV1.Question(jsonUTF8: Array(json.utf8))
    }

    private func error(_ json: String) -> ProtobufError? {
        failure { () throws(ProtobufError) in try question(json) }
    }

    @Test("both spellings of a field's name are read")
    func names() throws {
        #expect(
            try question(#"{"questionId": "a", "session_id": "b"}"#) == ChatV1.Question(questionID: "a", sessionID: "b")
        )
        #expect(error(#"{"questionId": "a", "question_id": "b"}"#)?.reason == "is given twice")
    }

    @Test("a 64-bit number is read from a string and from a number, to the last digit")
    func wideNumbers() throws {
        #expect(try question(#"{"version": "18446744073709551615"}"#).version == .max)
        #expect(try question(#"{"version": 9007199254740993}"#).version == 9_007_199_254_740_993)
        #expect(try question(#"{"version": 1e3}"#).version == 1000)
        #expect(try question(#"{"version": 2.0}"#).version == 2)
    }

    @Test(
        "what is no number of the field's width is refused",
        arguments: [
            "-1", "18446744073709551616", "1.5", "1e40", "true", #""""#, #""1x""#, #""+1""#, #"" 1""#, "{}", "[]",
            #""0x10""#, #""0x1p4""#, #""infinity""#, #""nan""#,
        ])
    func notNumbers(value: String) {
        #expect(error(#"{"version": \#(value)}"#)?.field == "version")
    }

    @Test("an enum is read from its name and its number")
    func enums() throws {
        #expect(try question(#"{"state": "REJECTED"}"#).state == .rejected)
        #expect(try question(#"{"state": 2}"#).state == .published)
        #expect(try question(#"{"state": 77}"#).state == .unrecognised(77))
        #expect(
            error(#"{"state": "rejected"}"#)
                == ProtobufError(
                    field: "state", reason: "must be one of QUESTION_STATE_UNSPECIFIED, PENDING, PUBLISHED, REJECTED"))
    }

    @Test("a time is read with any offset, and a day that doesn't exist is refused")
    func times() throws {
        let expected = GoogleProtobuf.Timestamp(seconds: 1_769_860_800, nanos: 0)
        #expect(try question(#"{"askTime": "2026-01-31T12:00:00Z"}"#).askTime == expected)
        #expect(try question(#"{"askTime": "2026-01-31T13:00:00+01:00"}"#).askTime == expected)
        #expect(try question(#"{"askTime": "2024-02-29T00:00:00.5Z"}"#).askTime?.nanos == 500_000_000)
        #expect(try question(#"{"askTime": "0001-01-01T00:00:00Z"}"#).askTime?.seconds == -62_135_596_800)
        for wrong in [
            "2026-02-29T00:00:00Z", "2026-01-31", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00", "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00", "now",
        ] {
            #expect(error(#"{"askTime": "\#(wrong)"}"#)?.field == "ask_time", "\(wrong)")
        }
    }

    @Test("bytes are read from base64 of both alphabets, padded or not")
    func bytes() throws {
        for text in ["+/8=", "-_8=", "-_8", "+/8"] {
            let chunk = try RetentionV1.ExportChunk(jsonUTF8: Array(#"{"data": "\#(text)"}"#.utf8))
            #expect(chunk.data == [0xfb, 0xff])
        }
        for text in ["-", "a=b=", "====", "/x9", "å"] {
            let error = failure { () throws(ProtobufError) in
                try RetentionV1.ExportChunk(jsonUTF8: Array(#"{"data": "\#(text)"}"#.utf8))
            }
            #expect(error == ProtobufError(field: "data", reason: "must be base64"), "\(text)")
        }
    }

    @Test("null is the default, except in a list")
    func null() throws {
        #expect(try question(#"{"text": null, "askTime": null, "answers": null, "state": null}"#) == ChatV1.Question())
        #expect(error(#"{"answers": [null]}"#)?.field == "answers[0]")
    }

    @Test("escapes are resolved, surrogate pairs too")
    func escapes() throws {
        #expect(try question(#"{"text": "\"\\\/\b\f\n\r\t\u00e5\ud83c\udf41"}"#).text == "\"\\/\u{8}\u{c}\n\r\tå🍁")
        #expect(
            error(#"{"text": "\u0000"}"#) == ProtobufError(field: "text", reason: "must not contain a NUL character"))
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", " ", "{", "}", "{]", "[]", "1", "null", #"{"text"}"#, #"{"text":}"#, #"{"text":"a",}"#, #"{,}"#,
            #"{"text":"a"} x"#, #"{"text":"a"}{}"#, #"{'text':'a'}"#, #"{"text":"\x"}"#, #"{"text":"\ud83c"}"#,
            #"{"text":"\ud83cx"}"#, #"{"text":"\udf41"}"#, #"{"text":"\u12"}"#, "{\"text\":\"a\nb\"}",
            #"{"version":01}"#,
            #"{"version":1.}"#, #"{"version":.5}"#, #"{"version":1e}"#, #"{"version":nul}"#,
            #"{"text":"a" "version":1}"#,
            #"{"answers":[}"#, #"{"answers":[{},]}"#, #"{"version":0x10}"#, #"{"version":NaN}"#,
        ])
    func malformed(json: String) {
        #expect(error(json) != nil)
    }

    @Test("bytes that aren't UTF-8 are refused")
    func invalidUTF8() {
        let json = Array(#"{"text":""#.utf8) + [0xff] + Array(#""}"#.utf8)
        let error = failure { () throws(ProtobufError) in try ChatV1.Question(jsonUTF8: json) }
        #expect(error?.reason == "must be valid UTF-8")
    }

    @Test("a name that is no field is refused with its path; one that can't be a name isn't repeated")
    func unknownFields() {
        #expect(
            error(#"{"answers": [{}, {"tex": "a"}]}"#)
                == ProtobufError(field: "answers[1].tex", reason: "is no field of samtal.chat.v1.Answer"))
        #expect(error(#"{"anna@example.se": 1}"#)?.field == "?")
    }

    @Test("two members of a oneof can't be given together")
    func oneof() {
        let json = Array(#"{"caughtUp": false, "removedQuestionId": "q"}"#.utf8)
        let error = failure { () throws(ProtobufError) in try ChatV1.SessionEvent(jsonUTF8: json) }
        #expect(error?.field == "removed_question_id")
    }

    @Test("a type other than the field's is refused")
    func wrongTypes() {
        #expect(error(#"{"text": 1}"#) == ProtobufError(field: "text", reason: "must be a text"))
        #expect(error(#"{"text": {}}"#) == ProtobufError(field: "text", reason: "must be a single value"))
        #expect(error(#"{"answers": {}}"#) == ProtobufError(field: "answers", reason: "must be a list"))
        #expect(error(#"{"answers": ["a"]}"#) == ProtobufError(field: "answers[0]", reason: "must be an object"))
    }

    @Test("a small text can't be made into much memory, nor into deep recursion")
    func amplification() {
        let many = #"{"questions":[\#(Array(repeating: "{}", count: 100_000).joined(separator: ","))]}"#
        let tooLarge = failure { () throws(ProtobufError) in
            try ChatV1.ListQuestionsResponse(jsonUTF8: Array(many.utf8))
        }
        #expect(tooLarge?.reason == "needs too much memory")
        #expect(error(String(repeating: "[", count: 100_000)) != nil)
        #expect(error(String(repeating: #"{"answers":["#, count: 100_000)) != nil)
    }
}
