internal import CProtobufC
public import NIOCore

/// A protobuf message as a Swift value. Generated code conforms; one struct per message.
public protocol ProtobufMessage: Sendable, Equatable {
    /// Every field at its default.
    init()

    static var descriptor: ProtobufDescriptor { get }

    /// Copies the C struct of this message.
    ///
    /// - Throws: ``ProtobufError`` naming the field when a text isn't valid UTF-8 or holds a NUL.
    init(cMessage: UnsafeRawPointer) throws(ProtobufError)

    /// Writes the fields into an initialised C struct of this message; what it points to is allocated in the arena.
    func fill(cMessage: UnsafeMutableRawPointer, arena: Arena)
}

extension ProtobufMessage {
    /// Reads the protobuf encoding. The caller bounds the number of bytes; memory and time are bounded by it.
    public init(serialized: [UInt8]) throws(ProtobufError) {
        self = try serialized.withUnsafeBufferPointer { bytes throws(ProtobufError) in
            try Self(serialized: UnsafeRawBufferPointer(bytes))
        }
    }

    /// Reads the protobuf encoding from the readable bytes.
    public init(serialized: ByteBuffer) throws(ProtobufError) {
        // The closure would rethrow without a type. With the storage retained, its pointer may leave it.
        let (bytes, storage) = serialized.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
            (bytes, storage.retain())
        }
        defer { storage.release() }
        try self.init(serialized: bytes)
    }

    /// Reads the protobuf encoding.
    public init(serialized: UnsafeRawBufferPointer) throws(ProtobufError) {
        // Runs for every call of every method, in code that isn't specialised: no closures, no generic types.
        self.init()
        if serialized.isEmpty { return }
        let descriptor = Self.descriptor
        try descriptor.scan(serialized)
        let arena = Arena.borrow(budget: ProtobufDescriptor.memoryBudget(forInput: serialized.count))
        defer { arena.giveBack() }
        self = try Self(cMessage: try arena.unpack(serialized, descriptor))
    }

    /// The protobuf encoding.
    public func serialized() -> [UInt8] {
        withCMessage { [UInt8](packing: $0) }
    }

    /// Appends the protobuf encoding, without an intermediate copy.
    public func serialize(into buffer: inout ByteBuffer) {
        withCMessage { message in
            let size = protobuf_c_message_get_packed_size(message)
            guard size > 0 else { return }
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { storage in
                protobuf_c_message_pack(message, storage.baseAddress?.assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    /// The protobuf encoding behind a prefix, in one buffer.
    ///
    /// - Parameters:
    ///   - prefixLength: how many bytes the prefix has.
    ///   - writePrefix: called once, with the place of the prefix and the number of bytes that follow it.
    package func serialized(
        behind prefixLength: Int, _ writePrefix: (_ place: UnsafeMutableRawBufferPointer, _ size: Int) -> Void
    ) -> ByteBuffer {
        withCMessage { message in
            let size = protobuf_c_message_get_packed_size(message)
            var buffer = ByteBufferAllocator().buffer(capacity: prefixLength + size)
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: prefixLength + size) { storage in
                writePrefix(UnsafeMutableRawBufferPointer(rebasing: storage[..<prefixLength]), size)
                guard let start = storage.baseAddress, size > 0 else { return prefixLength }
                return prefixLength
                    + protobuf_c_message_pack(message, (start + prefixLength).assumingMemoryBound(to: UInt8.self))
            }
            return buffer
        }
    }

    /// The number of bytes of the protobuf encoding.
    public var serializedSize: Int {
        withCMessage { message in protobuf_c_message_get_packed_size(message) }
    }

    /// Inlined, because every response goes through it and generic code costs as much as a short message.
    @inline(__always)
    func withCMessage<Result>(_ body: (UnsafeMutablePointer<ProtobufCMessage>) -> Result) -> Result {
        let arena = Arena.borrow()
        defer { arena.giveBack() }
        let message = arena.message(Self.descriptor)
        fill(cMessage: message, arena: arena)
        return body(message.assumingMemoryBound(to: ProtobufCMessage.self))
    }
}

extension [UInt8] {
    /// The protobuf encoding of a C struct.
    init(packing message: UnsafePointer<ProtobufCMessage>) {
        let size = protobuf_c_message_get_packed_size(message)
        // All arrays without elements are one object, which threads share and nobody should be handed to fill.
        guard size > 0 else {
            self = []
            return
        }
        self.init(unsafeUninitializedCapacity: size) { buffer, count in
            count = protobuf_c_message_pack(message, buffer.baseAddress)
        }
    }
}
