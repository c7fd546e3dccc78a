public import NIOCore
public import ProtobufC

/// A method together with the function that answers it: what a service hands to the server.
///
/// A handler throws ``RPCError`` for a status. Any other error becomes INTERNAL "internal error" and is logged by its
/// type alone. When the caller cancels or the deadline passes, the handler's task is cancelled.
public struct MethodHandler: Sendable {
    /// The function, on bytes; the typed factories wrap decoding and encoding around the service's own.
    enum Body: Sendable {
        /// Takes the request's bytes and returns the response with its gRPC prefix.
        case unary(@Sendable (ByteBuffer, ServerCall) async throws -> ByteBuffer)
        case serverStreaming(@Sendable (ByteBuffer, RawResponseWriter, ServerCall) async throws -> Void)
        /// Takes the requests' bytes and returns the response with its gRPC prefix.
        case clientStreaming(@Sendable (RawRequestStream, ServerCall) async throws -> ByteBuffer)
        case bidirectional(@Sendable (RawRequestStream, RawResponseWriter, ServerCall) async throws -> Void)

        var takesRequestStream: Bool {
            switch self {
            case .unary, .serverStreaming: false
            case .clientStreaming, .bidirectional: true
            }
        }
    }

    public let method: MethodDescriptor
    let body: Body
    /// What its calls end with as soon as the server begins to stop, for those that would go on for ever; nil: they may go
    /// on for the drain time.
    private(set) var endAtShutdown: RPCError?

    init(_ method: MethodDescriptor, _ body: Body) {
        self.method = method
        self.body = body
    }

    /// The same handler, with calls that would go on for ever: they end with that status as soon as the server begins to
    /// stop, instead of holding it up for the drain time.
    public func endingAtShutdown(
        with status: RPCError = RPCError(
            .unavailable, "the server is shutting down", reason: "SERVER_SHUTTING_DOWN")
    ) -> MethodHandler {
        var handler = self
        handler.endAtShutdown = status
        return handler
    }

    /// One request, one response.
    public static func unary<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (Request, ServerCall) async throws -> Response
    ) -> MethodHandler {
        MethodHandler(
            method,
            .unary { bytes, call in
                MessageFraming.framed(try await body(try decode(Request.self, from: bytes), call))
            })
    }

    /// One request, any number of responses.
    public static func serverStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (Request, ResponseWriter<Response>, ServerCall) async throws -> Void
    ) -> MethodHandler {
        MethodHandler(
            method,
            .serverStreaming { bytes, writer, call in
                let request = try decode(Request.self, from: bytes)
                try await body(request, ResponseWriter(writer), call)
            })
    }

    /// As ``unary(_:_:)``, with the encoded messages: for forwarding without decoding.
    public static func rawUnary(
        _ method: MethodDescriptor, _ body: @escaping @Sendable (ByteBuffer, ServerCall) async throws -> ByteBuffer
    ) -> MethodHandler {
        MethodHandler(method, .unary { bytes, call in MessageFraming.framed(try await body(bytes, call)) })
    }

    /// As ``serverStreaming(_:_:)``, with the encoded messages: for forwarding without decoding.
    public static func rawServerStreaming(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (ByteBuffer, RawResponseWriter, ServerCall) async throws -> Void
    ) -> MethodHandler {
        MethodHandler(method, .serverStreaming(body))
    }

    /// A request that is no encoding of its message is INTERNAL (gRPC, `statuscodes.md`). In one that is, a text that no
    /// service can take, not UTF-8 or with a NUL in it, is INVALID_ARGUMENT, naming the field, as if the service had looked
    /// itself.
    static func decode<Request: ProtobufMessage>(
        _ type: Request.Type, from bytes: ByteBuffer
    ) throws(RPCError) -> Request {
        do throws(ProtobufError) {
            return try Request(serialized: bytes)
        } catch {
            if error.breaksEncoding || error.field.isEmpty {
                throw RPCError(.internal, "request: \(error)", reason: RPCError.malformedRequest)
            }
            throw RPCError.invalid(error.field, error.reason)
        }
    }
}
