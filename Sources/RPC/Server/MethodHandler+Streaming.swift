public import NIOCore
public import ProtobufC

/// Handlers that take a stream of requests. They start with the call's headers, before any request has come, and may
/// answer before the last one has: the rest is then not read.
extension MethodHandler {
    /// Any number of requests, one response.
    public static func clientStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (RequestStream<Request>, ServerCall) async throws -> Response
    ) -> MethodHandler {
        MethodHandler(
            method,
            .clientStreaming { requests, call in
                MessageFraming.framed(try await body(RequestStream(requests), call))
            })
    }

    /// Any number of requests, any number of responses, each side at its own pace.
    public static func bidirectional<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor,
        _ body:
            @escaping @Sendable (RequestStream<Request>, ResponseWriter<Response>, ServerCall) async throws -> Void
    ) -> MethodHandler {
        MethodHandler(
            method,
            .bidirectional { requests, writer, call in
                try await body(RequestStream(requests), ResponseWriter(writer), call)
            })
    }

    /// As ``clientStreaming(_:_:)``, with the encoded messages: for forwarding without decoding.
    public static func rawClientStreaming(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (RawRequestStream, ServerCall) async throws -> ByteBuffer
    ) -> MethodHandler {
        MethodHandler(
            method, .clientStreaming { requests, call in MessageFraming.framed(try await body(requests, call)) })
    }

    /// As ``bidirectional(_:_:)``, with the encoded messages: for forwarding without decoding.
    public static func rawBidirectional(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (RawRequestStream, RawResponseWriter, ServerCall) async throws -> Void
    ) -> MethodHandler {
        MethodHandler(method, .bidirectional(body))
    }
}
