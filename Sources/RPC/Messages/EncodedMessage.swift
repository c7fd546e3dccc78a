internal import NIOCore
public import ProtobufC
internal import Synchronization

/// A response that was encoded once and can be sent on any number of streams.
public struct EncodedMessage<Message: ProtobufMessage>: Sendable {
    /// Shared by all copies.
    private final class Content: Sendable {
        let framed: ByteBuffer
        let compressed = Mutex<ByteBuffer?>(nil)

        init(_ framed: ByteBuffer) {
            self.framed = framed
        }
    }

    private let content: Content

    public init(_ message: Message) {
        content = Content(MessageFraming.framed(message))
    }

    /// The message with its gRPC prefix.
    var framed: ByteBuffer { content.framed }

    /// The same, compressed if that makes it shorter: once, when it is first asked for.
    var compressed: ByteBuffer {
        content.compressed.withLock { compressed in
            if let compressed { return compressed }
            let made = MessageFraming.compressed(content.framed)
            compressed = made
            return made
        }
    }

    /// The size on the wire, in bytes, without HTTP/2's frames and uncompressed.
    public var size: Int { framed.readableBytes }
}
