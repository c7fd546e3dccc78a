public import NIOCore
public import ProtobufC

/// Where the handler of a server-streaming call puts its responses.
///
/// A send waits while the caller reads too slowly: until HTTP/2 flow control has let through enough of what was sent
/// before. It throws `RPCError(.cancelled)` when the caller is gone, the deadline has passed or the task is cancelled.
public struct ResponseWriter<Message: ProtobufMessage>: Sendable {
    private enum Target: Sendable {
        case call(RawResponseWriter)
        case function(@Sendable (Message) async throws -> Void)
    }

    private let target: Target

    init(_ writer: RawResponseWriter) {
        target = .call(writer)
    }

    /// A writer that hands each message to a function: for testing a handler without a server.
    public init(sending send: @escaping @Sendable (Message) async throws -> Void) {
        target = .function(send)
    }

    /// Sends the response headers, with the initial metadata that was set, before there is a message to send. When they
    /// were sent already, nothing happens.
    public func sendHeaders() async throws {
        if case .call(let writer) = target { try await writer.sendHeaders() }
    }

    public func send(_ message: Message) async throws {
        switch target {
        case .call(let writer): try await writer.send(framed: MessageFraming.framed(message))
        case .function(let send): try await send(message)
        }
    }

    /// Sends a message that was encoded once for many.
    public func send(_ encoded: EncodedMessage<Message>) async throws {
        switch target {
        case .call(let writer):
            try await writer.send(prepared: writer.isCompressing ? encoded.compressed : encoded.framed)
        case .function(let send):
            try await send(Message(serialized: encoded.framed.withoutPrefix))
        }
    }
}

/// Where the handler of a server-streaming call puts responses that are encoded already; see ``ResponseWriter``.
public struct RawResponseWriter: Sendable {
    private let stream: ServerStream
    private let call: ServerCall

    init(_ stream: ServerStream, _ call: ServerCall) {
        self.stream = stream
        self.call = call
    }

    /// See ``ResponseWriter/sendHeaders()``.
    public func sendHeaders() async throws {
        try await stream.sendHeaders()
    }

    /// Sends the bytes as one message.
    public func send(_ bytes: ByteBuffer) async throws {
        try await send(framed: MessageFraming.framed(bytes))
    }

    var isCompressing: Bool { call.compression.isOn }

    func send(framed: ByteBuffer) async throws(RPCError) {
        try await send(prepared: isCompressing ? MessageFraming.compressed(framed) : framed)
    }

    /// Sends a message that is compressed if it is to be.
    func send(prepared: ByteBuffer) async throws(RPCError) {
        try await stream.sendResponse(framed: prepared)
    }
}
