public import ProtobufC

/// Calls of many requests.
extension RPCChannel {
    /// Many requests, one response. The call is made when there is a connection, which this waits for.
    public func clientStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor, options: CallOptions, sending: Request.Type = Request.self,
        receiving: Response.Type = Response.self
    ) async throws -> ClientStreamingCall<Request, Response> {
        ClientStreamingCall(try await rawClientStreaming(method, options: options))
    }

    /// Many requests, many responses. The call is made when there is a connection, which this waits for.
    public func bidirectional<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor, options: CallOptions, sending: Request.Type = Request.self,
        receiving: Response.Type = Response.self
    ) async throws -> BidirectionalCall<Request, Response> {
        BidirectionalCall(try await rawBidirectional(method, options: options))
    }

    /// As ``clientStreaming(_:options:sending:receiving:)``, with the encoded messages: for forwarding without decoding.
    public func rawClientStreaming(
        _ method: MethodDescriptor, options: CallOptions
    ) async throws -> RawClientStreamingCall {
        RawClientStreamingCall(try await StreamingCall.make(self, method, RequestLog(), options))
    }

    /// As ``bidirectional(_:options:sending:receiving:)``, with the encoded messages: for forwarding without decoding.
    public func rawBidirectional(
        _ method: MethodDescriptor, options: CallOptions
    ) async throws -> RawBidirectionalCall {
        RawBidirectionalCall(try await StreamingCall.make(self, method, RequestLog(), options))
    }
}
