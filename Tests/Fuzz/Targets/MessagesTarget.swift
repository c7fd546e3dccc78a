import Contracts
import InteropContracts
import RPC

@testable import ProtobufC

/// Protobuf bytes. The first byte chooses the message, the rest is its encoding.
///
/// What is read is written so that it reads as the same value, and the second writing is as the first; its JSON reads
/// as the same value too; reading by way of a type and by way of the descriptor accept the same; reading stays within
/// the memory it may take.
enum MessagesTarget {
    static let types: [any ProtobufMessage.Type] = [
        ChatV1.Question.self, ChatV1.SessionEvent.self, ChatV1.ListQuestionsResponse.self, ChatV1.SessionLogEntry.self,
        ChatV1.ListQuestionsRequest.self, ChatV1.Session.self, ChatV1.WatchSessionRequest.self,
        IdentityV1.SignInResponse.self, IdentityV1.ListSigningKeysResponse.self, IdentityV1.Administrator.self,
        IdentityV1.ListOrganisationsResponse.self, RetentionV1.Certificate.self, RetentionV1.Agreement.self,
        RetentionV1.Policy.self, RetentionV1.ExportChunk.self, RetentionV1.ListCertificatesResponse.self,
        GoogleRPC.Status.self, GoogleRPC.BadRequest.self, GoogleRPC.ErrorInfo.self, GoogleRPC.RetryInfo.self,
        GoogleProtobuf.Timestamp.self, GoogleProtobuf.Duration.self, GoogleProtobuf.`Any`.self,
        HealthV1.HealthCheckRequest.self, HealthV1.HealthCheckResponse.self, OracleV1.Single.self,
        OracleV1.Repeated.self, OracleV1.Unpacked.self, OracleV1.Choice.self,
    ]

    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        let type = input.pick(types)
        try check(type, input.rest())
    }

    private static func check<Message: ProtobufMessage>(
        _ type: Message.Type, _ bytes: [UInt8]
    ) throws(FuzzFailure) {
        try memory(Message.descriptor, bytes)
        let json = outcome { () throws(ProtobufError) in try Message.descriptor.json(fromSerialized: bytes) }
        switch outcome({ () throws(ProtobufError) in try Message(serialized: bytes) }) {
        case .failure(let error):
            try require(json == .failure(error), "\(type) is refused (\(error)), and not by way of the descriptor")
        case .success(let message):
            try require(json == .success(message.jsonUTF8()), "\(type) has two JSON texts")
            try roundTrip(message)
        }
    }

    /// What must hold for a message however it came to be.
    static func roundTrip<Message: ProtobufMessage>(_ message: Message) throws(FuzzFailure) {
        let bytes = message.serialized()
        try require(message.serializedSize == bytes.count, "\(Message.self) has another size than it says")
        switch outcome({ () throws(ProtobufError) in try Message(serialized: bytes) }) {
        case .failure(let error):
            try require(error.isOfSize, "\(Message.self) is not read as it was written: \(error)")
        case .success(let again):
            try require(again.isSame(as: message), "\(Message.self) is read as another than was written")
            try require(again.serialized() == bytes, "\(Message.self) is written in two ways")
        }
        try throughJSON(message)
    }

    private static func throughJSON<Message: ProtobufMessage>(_ message: Message) throws(FuzzFailure) {
        let json = message.jsonUTF8()
        switch outcome({ () throws(ProtobufError) in try Message(jsonUTF8: json) }) {
        case .failure(let error):
            try require(error.isOfSize, "the JSON of \(Message.self) is not read: \(error)")
        case .success(let again):
            // A time that JSON can't say is written as null, which is read as none.
            if json.containsNull { return }
            // JSON has one NaN, which is unequal to itself.
            let isSame = again == message || again.jsonUTF8() == json
            try require(isSame, "\(Message.self) is another after JSON")
        }
    }

    /// Unpacking takes no more memory than the budget says, plus the chunks that it is given out from.
    private static func memory(_ descriptor: ProtobufDescriptor, _ bytes: [UInt8]) throws(FuzzFailure) {
        guard let before = HeapInUse.bytes else { return }
        var during = before
        _ = outcome { () throws(ProtobufError) in
            try bytes.withUnsafeBufferPointer { bytes throws(ProtobufError) in
                try descriptor.withUnpacked(UnsafeRawBufferPointer(bytes)) { _ in during = HeapInUse.bytes ?? before }
            }
        }
        let budget = ProtobufDescriptor.memoryBudget(forInput: bytes.count)
        try require(
            during - before <= 2 * budget + 64 * 1024,
            "\(descriptor.name): \(during - before) bytes of memory for \(bytes.count) bytes")
    }
}

extension ProtobufMessage {
    /// Equal, or written alike: a number that isn't one (NaN) is unequal to itself.
    func isSame(as other: Self) -> Bool {
        self == other || serialized() == other.serialized()
    }
}

extension ProtobufError {
    /// Whether it is about the size. An encoding may be refused for being long in proportion to what it says although
    /// the text that said the same was not, and the other way round.
    var isOfSize: Bool {
        reason == "has too many fields" || reason == Reason.tooLarge
    }
}

extension [UInt8] {
    /// Whether the JSON text has a null, or a text that says so.
    fileprivate var containsNull: Bool {
        let null = Array("null".utf8)
        return indices.dropLast(3).contains { self[$0..<$0 + 4].elementsEqual(null) }
    }
}
