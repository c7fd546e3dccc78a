internal import NIOCore
public import ProtobufC

/// A response that was encoded once and can be sent on any number of streams.
public struct EncodedMessage<Message: ProtobufMessage>: Sendable {
    /// The message with its gRPC prefix. Copies share the storage.
    let framed: ByteBuffer

    public init(_ message: Message) {
        framed = MessageFraming.framed(message)
    }

    /// The size on the wire, in bytes, without HTTP/2's frames.
    public var size: Int { framed.readableBytes }
}
