import CContracts
import CProtobufC
import Contracts
import ProtobufC
import Testing

@Suite("Hostile protobuf bytes")
struct HostileBytesTests {
    @Test("a NUL in a text is refused, with the path of the field")
    func nul() {
        let answer = WireBytes.text(2, "a\0b")
        let question = WireBytes.bytes(8, WireBytes.text(2, "fine")) + WireBytes.bytes(8, answer)
        let error = failure { () throws(ProtobufError) in try ChatV1.Question(serialized: question) }
        #expect(error == ProtobufError(field: "answers[1].text", reason: "must not contain a NUL character"))
    }

    @Test(
        "a text that isn't UTF-8 is refused",
        arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3]] as [[UInt8]])
    func invalidUTF8(text: [UInt8]) {
        let error = failure { () throws(ProtobufError) in
            try ChatV1.Question(serialized: WireBytes.bytes(4, text))
        }
        #expect(error == ProtobufError(field: "text", reason: "must be valid UTF-8"))
    }

    @Test("the gateway's way to JSON refuses the same texts")
    func textsWithoutTypes() {
        let bytes = WireBytes.bytes(3, WireBytes.bytes(8, WireBytes.text(3, "\0")))
        let error = failure { () throws(ProtobufError) in
            try ChatV1.SessionEvent.descriptor.json(fromSerialized: bytes)
        }
        #expect(error?.field == "question.answers[0].host_name")
    }

    @Test("a submessage that can occur once and occurs twice is refused")
    func duplicateSubmessage() {
        let session = WireBytes.bytes(2, WireBytes.text(1, "s"))
        let error = failure { () throws(ProtobufError) in try ChatV1.SessionEvent(serialized: session + session) }
        #expect(error == ProtobufError(field: "session", reason: "occurs more than once", breaksEncoding: true))
    }

    @Test("a value that can occur once and occurs twice has its last value")
    func duplicateScalar() throws {
        let question = try ChatV1.Question(serialized: WireBytes.text(4, "first") + WireBytes.text(4, "second"))
        #expect(question.text == "second")
    }

    @Test("a text that isn't UTF-8 is refused also where a later value takes its place")
    func overwrittenTexts() {
        let twice = WireBytes.bytes(4, [0xff]) + WireBytes.text(4, "second")
        #expect(
            failure { () throws(ProtobufError) in try ChatV1.Question(serialized: twice) }
                == ProtobufError(field: "text", reason: "must be valid UTF-8"))
        // Deeper, and by another member of a oneof.
        let answer = WireBytes.bytes(2, [0xff]) + WireBytes.text(2, "second")
        let event = WireBytes.bytes(3, WireBytes.bytes(8, answer)) + WireBytes.varint(5, 1)
        #expect(
            failure { () throws(ProtobufError) in try ChatV1.SessionEvent(serialized: event) }
                == ProtobufError(field: "question.answers.text", reason: "must be valid UTF-8"))
        let member = WireBytes.bytes(4, [0xff]) + WireBytes.varint(5, 1)
        #expect(
            failure { () throws(ProtobufError) in try ChatV1.SessionEvent(serialized: member) }
                == ProtobufError(field: "removed_question_id", reason: "must be valid UTF-8"))
    }

    @Test("64 KiB of empty submessages are refused before they become megabytes")
    func amplificationBySubmessages() {
        let bytes = (0..<32_768).flatMap { _ in WireBytes.bytes(1, []) }
        let error = failure { () throws(ProtobufError) in try ChatV1.ListQuestionsResponse(serialized: bytes) }
        #expect(error?.reason == "has too many fields")
    }

    @Test("many small submessages are refused when they would take too much memory")
    func amplificationWithinTheFieldCount() {
        let bytes = (0..<10_000).flatMap { _ in WireBytes.bytes(1, WireBytes.text(4, "ab")) }
        let error = failure { () throws(ProtobufError) in try ChatV1.ListQuestionsResponse(serialized: bytes) }
        #expect(error == ProtobufError(field: "", reason: "needs too much memory", breaksEncoding: true))
    }

    @Test("64 KiB of unknown fields are refused before they become megabytes")
    func amplificationByUnknownFields() {
        let bytes = (0..<32_768).flatMap { _ in WireBytes.varint(15, 0) }
        let error = failure { () throws(ProtobufError) in try ChatV1.Question(serialized: bytes) }
        #expect(error == ProtobufError(field: "", reason: "has too many fields", breaksEncoding: true))
    }

    @Test("a few unknown fields of a newer version are passed over")
    func unknownFields() throws {
        let bytes = WireBytes.text(4, "text") + WireBytes.varint(900, 7) + WireBytes.bytes(901, [1, 2, 3])
        #expect(try ChatV1.Question(serialized: bytes) == ChatV1.Question(text: "text"))
    }

    @Test(
        "what is no protobuf encoding is refused",
        arguments: [
            [0x00, 0x01],  // field number 0
            [0x0b],  // a group
            [0x0e, 0x00], [0x0f, 0x00],  // wire types that don't exist
            [0x22, 0x05, 0x61],  // a length beyond the end
            [0x22, 0xff, 0xff, 0xff, 0xff, 0x7f],  // a length beyond 32 bits
            [0x38] + [UInt8](repeating: 0x80, count: 10) + [0x01],  // a varint of eleven bytes
            [0x38],  // a tag and no value
            [0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00],  // a tag beyond 32 bits
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        #expect(failure { () throws(ProtobufError) in try ChatV1.Question(serialized: bytes) }?.breaksEncoding == true)
        // The same within a message of a message.
        let nested = WireBytes.bytes(3, WireBytes.bytes(8, bytes))
        let error = failure { () throws(ProtobufError) in try ChatV1.SessionEvent(serialized: nested) }
        #expect(error?.breaksEncoding == true)
    }

    @Test("a wire type other than the field's is refused")
    func wrongWireType() {
        let wrong = ProtobufError(field: "version", reason: "has the wrong wire type", breaksEncoding: true)
        #expect(
            failure { () throws(ProtobufError) in try ChatV1.Question(serialized: WireBytes.bytes(7, [1])) } == wrong)
        // protobuf-c itself takes a bool of any wire type.
        let error = failure { () throws(ProtobufError) in
            try ChatV1.SessionEvent(serialized: WireBytes.bytes(5, [1]))
        }
        #expect(error?.field == "caught_up")
    }

    @Test("every message that is cut short is refused or read, and none crashes")
    func truncated() throws {
        let bytes = Samples.question.serialized()
        for length in 0..<bytes.count {
            _ = failure { () throws(ProtobufError) in try ChatV1.Question(serialized: Array(bytes[..<length])) }
        }
        #expect(try ChatV1.Question(serialized: bytes) == Samples.question)
    }

    @Test("random bytes, and messages with random changes, never crash, and what is read is read the same again")
    func random() throws {
        var generator = SplitMix(state: 1)
        let seed = ChatV1.ListQuestionsResponse(questions: [Samples.question, Samples.question]).serialized()
        var read = 0
        for round in 0..<20_000 {
            var bytes = seed
            if round.isMultiple(of: 2) {
                bytes = (0..<Int.random(in: 0..<64, using: &generator)).map { _ in
                    .random(in: .min ... .max, using: &generator)
                }
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    bytes[Int.random(in: bytes.indices, using: &generator)] = .random(
                        in: .min ... .max, using: &generator)
                }
            }
            guard let message = try? ChatV1.ListQuestionsResponse(serialized: bytes) else { continue }
            read += 1
            #expect(try ChatV1.ListQuestionsResponse(serialized: message.serialized()) == message)
            #expect(
                try ChatV1.ListQuestionsResponse(jsonUTF8: message.jsonUTF8()).questions.count
                    == message.questions.count)
        }
        #expect(read > 100)
    }

    @Test("messages nested without end are refused, also if a descriptor allows them")
    func depth() {
        let recursive = RecursiveMessage()
        var bytes: [UInt8] = []
        for _ in 0..<5000 {
            bytes = WireBytes.bytes(1, bytes)
        }
        let error = bytes.withUnsafeBytes { bytes in
            failure { () throws(ProtobufError) in
                try ProtobufDescriptor(recursive.descriptor).withUnpacked(bytes) { _ in }
            }
        }
        #expect(error?.reason == "is nested too deeply")
    }
}

/// The descriptor of `message M { M m = 1; }`, which the generator would refuse.
private final class RecursiveMessage {
    let descriptor = UnsafeMutablePointer<ProtobufCMessageDescriptor>.allocate(capacity: 1)
    private let field = UnsafeMutablePointer<ProtobufCFieldDescriptor>.allocate(capacity: 1)
    private let ranges = UnsafeMutablePointer<ProtobufCIntRange>.allocate(capacity: 2)
    private let name = UnsafeMutablePointer<CChar>.allocate(capacity: 2)

    init() {
        name[0] = CChar(UInt8(ascii: "m"))
        name[1] = 0
        ranges[0] = ProtobufCIntRange(start_value: 1, orig_index: 0)
        ranges[1] = ProtobufCIntRange(start_value: 0, orig_index: 1)
        var child = ProtobufCFieldDescriptor()
        child.name = UnsafePointer(name)
        child.id = 1
        child.label = PROTOBUF_C_LABEL_NONE
        child.type = PROTOBUF_C_TYPE_MESSAGE
        child.descriptor = UnsafeRawPointer(descriptor)
        field.initialize(to: child)
        var message = ProtobufCMessageDescriptor()
        message.magic = 0x28aa_eef9
        message.name = UnsafePointer(name)
        message.sizeof_message = MemoryLayout<ProtobufCMessage>.size + MemoryLayout<UnsafeRawPointer>.size
        message.n_fields = 1
        message.fields = UnsafePointer(field)
        message.n_field_ranges = 1
        message.field_ranges = UnsafePointer(ranges)
        descriptor.initialize(to: message)
    }

    deinit {
        descriptor.deallocate()
        field.deallocate()
        ranges.deallocate()
        name.deallocate()
    }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
