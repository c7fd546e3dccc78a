import Contracts
import Foundation
import NIOCore
import ProtobufC
import RPC
import Testing

@Suite("The protobuf encoding")
struct EncodingTests {
    @Test("the empty message has no bytes, and no bytes are the empty message")
    func empty() throws {
        #expect(ChatV1.Question().serialized() == [])
        #expect(ChatV1.Question().serializedSize == 0)
        #expect(try ChatV1.Question(serialized: [UInt8]()) == ChatV1.Question())
        #expect(try ChatV1.Question(serialized: ByteBuffer()) == ChatV1.Question())
    }

    @Test("empty bytes are an empty array, and empty texts are empty")
    func emptyBytes() throws {
        let key = try RetentionV1.SessionKey(serialized: WireBytes.bytes(3, []) + WireBytes.text(1, ""))
        #expect(key == RetentionV1.SessionKey())
        #expect(key.serialized() == [])
    }

    @Test("a buffer gets the bytes behind what it has")
    func buffer() throws {
        var buffer = ByteBuffer(string: "head")
        Samples.question.serialize(into: &buffer)
        #expect(buffer.readString(length: 4) == "head")
        #expect(Array(buffer.readableBytesView) == Samples.question.serialized())
        #expect(buffer.readableBytes == Samples.question.serializedSize)
        #expect(try ChatV1.Question(serialized: buffer) == Samples.question)
    }

    @Test("an enum's number without a name survives")
    func unknownEnum() throws {
        let question = try ChatV1.Question(serialized: WireBytes.varint(3, 99))
        #expect(question.state == .unrecognised(99))
        #expect(question.serialized() == WireBytes.varint(3, 99))
        let negative = ChatV1.Question(state: .unrecognised(-1))
        #expect(try ChatV1.Question(serialized: negative.serialized()) == negative)
    }

    @Test(
        "a member of a oneof is there also with its default value",
        arguments: [
            .caughtUp(false), .caughtUp(true), .removedQuestionID(""), .session(ChatV1.Session()),
            .question(Samples.question), nil,
        ] as [ChatV1.SessionEvent.Change?])
    func oneof(change: ChatV1.SessionEvent.Change?) throws {
        let event = ChatV1.SessionEvent(position: "e-7", change: change)
        #expect(try ChatV1.SessionEvent(serialized: event.serialized()) == event)
        #expect(try ChatV1.SessionEvent(jsonUTF8: event.jsonUTF8()) == event)
    }

    @Test("of several members of a oneof the last counts")
    func oneofTwice() throws {
        let bytes = WireBytes.bytes(2, []) + WireBytes.text(4, "q") + WireBytes.varint(5, 1)
        #expect(try ChatV1.SessionEvent(serialized: bytes).change == .caughtUp(true))
    }

    @Test("large messages need more than one chunk of memory, and leave nothing behind for the next")
    func large() throws {
        let chunk = RetentionV1.ExportChunk(data: [UInt8](repeating: 7, count: 1_000_000))
        for _ in 0..<3 {
            #expect(try RetentionV1.ExportChunk(serialized: chunk.serialized()) == chunk)
            #expect(try ChatV1.Question(serialized: Samples.question.serialized()) == Samples.question)
        }
        let list = ChatV1.ListQuestionsResponse(questions: Array(repeating: Samples.question, count: 200))
        #expect(try ChatV1.ListQuestionsResponse(serialized: list.serialized()) == list)
    }

    @Test("many threads encode and decode at once")
    func concurrent() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let question = ChatV1.Question(questionID: "question-\(number)", answers: [Samples.answer])
                    for _ in 0..<500 {
                        guard try ChatV1.Question(serialized: question.serialized()) == question else { return false }
                    }
                    return true
                }
            }
            for try await isSame in group {
                #expect(isSame)
            }
        }
    }

    @Test("a timestamp and a date are the same moment")
    func dates() {
        for seconds in [0, -1, -0.25, 0.75, 1_769_860_800.25, -62_135_596_800] {
            let date = Date(timeIntervalSince1970: seconds)
            let timestamp = GoogleProtobuf.Timestamp(date)
            #expect(timestamp.date == date)
            #expect((0..<1_000_000_000).contains(timestamp.nanos))
        }
    }
}
