internal import CProtobufC

extension ProtobufMessage {
    /// Reads proto3-JSON: field names in lowerCamelCase or as in the .proto; a name it doesn't know is an error.
    ///
    /// - Throws: ``ProtobufError`` with the field's path, in the names of the .proto.
    public init(jsonUTF8: [UInt8]) throws(ProtobufError) {
        self = try Self.descriptor.withMessage(fromJSON: jsonUTF8, overrides: []) { message throws(ProtobufError) in
            try Self(cMessage: message)
        }
    }

    /// Proto3-JSON: field names in lowerCamelCase, fields at their default left out.
    public func jsonUTF8() -> [UInt8] {
        withCMessage { message in
            var writer = JSONWriter()
            writer.message(UnsafeRawPointer(message), Self.descriptor)
            return writer.bytes
        }
    }
}

// Between JSON and the protobuf encoding, with no Swift type of the message: for what only passes messages on.
extension ProtobufDescriptor {
    /// - Throws: ``ProtobufError`` when the bytes aren't this message.
    public func json(fromSerialized bytes: [UInt8]) throws(ProtobufError) -> [UInt8] {
        try bytes.withUnsafeBufferPointer { buffer throws(ProtobufError) in
            try json(fromSerialized: UnsafeRawBufferPointer(buffer))
        }
    }

    /// - Throws: ``ProtobufError`` when the bytes aren't this message.
    public func json(fromSerialized bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> [UInt8] {
        try withUnpacked(bytes) { message throws(ProtobufError) in
            try checkTexts(message)
            var writer = JSONWriter()
            writer.message(UnsafeRawPointer(message), self)
            return writer.bytes
        }
    }

    /// The protobuf encoding of a JSON object, with fields of the request's URL filled in.
    ///
    /// - Parameters:
    ///   - body: a JSON object; empty is the same as `{}`.
    ///   - overrides: field paths, as in `a.b`, and texts. They replace what the body says. A text is what the field's
    ///     JSON would be without quotation marks.
    /// - Throws: ``ProtobufError`` with the field's path, in the names of the .proto.
    public func serialized(
        fromJSON body: [UInt8], overrides: [(field: String, value: String)]
    ) throws(ProtobufError) -> [UInt8] {
        let object = body.isEmpty ? Array("{}".utf8) : body
        return try withMessage(fromJSON: object, overrides: overrides) { message throws(ProtobufError) in
            [UInt8](packing: message.assumingMemoryBound(to: ProtobufCMessage.self))
        }
    }

    /// Builds the C struct in this thread's arena and lends it.
    fileprivate func withMessage<Result>(
        fromJSON body: [UInt8], overrides: [(field: String, value: String)],
        _ use: (UnsafeMutableRawPointer) throws(ProtobufError) -> Result
    ) throws(ProtobufError) -> Result {
        let inputSize = body.count + overrides.reduce(0) { $0 + $1.value.utf8.count }
        return try Arena.lend(budget: Self.memoryBudget(forInput: inputSize)) { arena throws(ProtobufError) in
            let message = arena.message(self)
            try body.withUnsafeBufferPointer { bytes throws(ProtobufError) in
                var reader = JSONReader(bytes, arena: arena)
                try reader.document(into: message, self)
            }
            for (field, value) in overrides {
                try set(field[...], of: message, to: value, arena)
            }
            return try use(message)
        }
    }
}
