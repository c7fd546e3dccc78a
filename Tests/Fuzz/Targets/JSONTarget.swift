import ProtobufC

/// Proto3-JSON. The first byte chooses the message, the next how many fields of a URL there are (each with its path and
/// its value), the rest is the text.
///
/// What is read is written so that it reads as the same value, by way of JSON and of protobuf; reading by way of a type
/// and by way of the descriptor accept the same; what a URL's fields were put into is still an encoding of the message.
enum JSONTarget {
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        let type = input.pick(MessagesTarget.types)
        var overrides: [(field: String, value: String)] = []
        for _ in 0..<input.choice(4) {
            let field = String(decoding: input.counted(), as: UTF8.self)
            overrides.append((field, String(decoding: input.counted(), as: UTF8.self)))
        }
        try check(type, input.rest(), overrides)
    }

    private static func check<Message: ProtobufMessage>(
        _ type: Message.Type, _ text: [UInt8], _ overrides: [(field: String, value: String)]
    ) throws(FuzzFailure) {
        let bytes = outcome { () throws(ProtobufError) in
            try Message.descriptor.serialized(fromJSON: text, overrides: [])
        }
        // For a gateway no body is an empty object; to a message it is no JSON.
        let nonempty = text.isEmpty ? Array("{}".utf8) : text
        switch outcome({ () throws(ProtobufError) in try Message(jsonUTF8: nonempty) }) {
        case .failure(let error):
            try require(bytes == .failure(error), "\(type) is refused (\(error)), and not by way of the descriptor")
        case .success(let message):
            try require(bytes == .success(message.serialized()), "the JSON of \(type) has two encodings")
            try MessagesTarget.roundTrip(message)
        }
        if !overrides.isEmpty { try merged(type, text, overrides) }
    }

    private static func merged<Message: ProtobufMessage>(
        _ type: Message.Type, _ text: [UInt8], _ overrides: [(field: String, value: String)]
    ) throws(FuzzFailure) {
        let merged = outcome { () throws(ProtobufError) in
            try Message.descriptor.serialized(fromJSON: text, overrides: overrides)
        }
        guard case .success(let bytes) = merged else { return }
        switch outcome({ () throws(ProtobufError) in try Message(serialized: bytes) }) {
        case .failure(let error):
            try require(error.isOfSize, "\(type) with a URL's fields is no encoding of it: \(error)")
        case .success(let message):
            try MessagesTarget.roundTrip(message)
        }
    }
}
