internal import CProtobufC

// What generated code fills C structs with. Lengths of 0 go with a NULL pointer: protobuf-c then omits the field.
extension Arena {
    /// An initialised C struct.
    @usableFromInline package func message(_ descriptor: ProtobufDescriptor) -> UnsafeMutableRawPointer {
        let message = allocate(descriptor.message.pointee.sizeof_message)
        protobuf_c_message_init(descriptor.message, message)
        return message
    }

    /// A submessage, or NULL.
    @inlinable package func message<Message: ProtobufMessage, CMessage>(
        _ value: Message?
    ) -> UnsafeMutablePointer<CMessage>? {
        guard let value else { return nil }
        let message = message(Message.descriptor)
        value.fill(cMessage: message, arena: self)
        return message.assumingMemoryBound(to: CMessage.self)
    }

    /// A repeated submessage: the array of pointers and its count.
    @inlinable package func messages<Message: ProtobufMessage, CMessage>(
        _ values: [Message]
    ) -> (UnsafeMutablePointer<UnsafeMutablePointer<CMessage>?>?, Int) {
        array(values) { message($0) }
    }

    /// The UTF-8 of a text.
    package func text(_ value: String) -> (UnsafeMutablePointer<UInt8>?, Int) {
        guard !value.isEmpty else { return (nil, 0) }
        var value = value
        return value.withUTF8 { bytes in copy(UnsafeRawBufferPointer(bytes)) }
    }

    package func bytes(_ value: [UInt8]) -> (UnsafeMutablePointer<UInt8>?, Int) {
        value.withUnsafeBytes { bytes in copy(bytes) }
    }

    /// A repeated field: the array of what `element` makes of each value, and its count.
    @inlinable package func array<Value, CValue>(
        _ values: [Value], _ element: (Value) -> CValue
    ) -> (UnsafeMutablePointer<CValue>?, Int) {
        guard !values.isEmpty else { return (nil, 0) }
        let storage = allocate(values.count * MemoryLayout<CValue>.stride)
            .bindMemory(to: CValue.self, capacity: values.count)
        for index in values.indices {
            (storage + index).initialize(to: element(values[index]))
        }
        return (storage, values.count)
    }

    private func copy(_ bytes: UnsafeRawBufferPointer) -> (UnsafeMutablePointer<UInt8>?, Int) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return (nil, 0) }
        let storage = allocate(bytes.count)
        storage.copyMemory(from: source, byteCount: bytes.count)
        return (storage.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
}
