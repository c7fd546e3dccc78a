public import NIOCore
public import ProtobufC

/// A call of many requests and one response. Letting go of it before the response is there cancels the call.
///
/// Cancelling a task that waits in one of its methods cancels the call too.
public final class ClientStreamingCall<Request: ProtobufMessage, Response: ProtobufMessage>: Sendable {
    private let raw: RawClientStreamingCall

    init(_ raw: RawClientStreamingCall) {
        self.raw = raw
    }

    /// Sends one request. Waits while 64 KiB or more are on their way already, because the server takes them slowly.
    ///
    /// Throws ``RPCError``: the call's status when the server has ended it; INTERNAL, reason `CALL_ANSWERED`,
    /// when the server has answered without wanting more: ``response()`` then has its answer.
    public func send(_ request: Request) async throws {
        try await raw.call.send(MessageFraming.framed(request))
    }

    /// Says that there are no more requests and waits for the response. It is given out once.
    public func response() async throws -> Response {
        try RPCChannel.decode(try await raw.response())
    }

    /// Whether requests sent from now on are compressed, in a call whose options say `gzip`: at first they are.
    public func setCompression(_ on: Bool) {
        raw.setCompression(on)
    }

    /// Ends the call, which fails with CANCELLED unless it is over.
    public func cancel() {
        raw.cancel()
    }
}

/// As ``ClientStreamingCall``, with the encoded messages.
public final class RawClientStreamingCall: Sendable {
    let call: StreamingCall

    init(_ call: StreamingCall) {
        self.call = call
    }

    /// As ``ClientStreamingCall/send(_:)``.
    public func send(_ request: ByteBuffer) async throws {
        try await call.send(MessageFraming.framed(request))
    }

    /// As ``ClientStreamingCall/response()``.
    public func response() async throws -> ByteBuffer {
        call.finish()
        guard let message = try await call.nextMessage() else {
            throw RPCError(.unimplemented, "response: no message")
        }
        guard try await call.nextMessage() == nil else {
            call.cancel()
            throw RPCError(.unimplemented, "response: more than one message")
        }
        return message
    }

    /// As ``ClientStreamingCall/setCompression(_:)``.
    public func setCompression(_ on: Bool) {
        call.setCompression(on)
    }

    /// As ``ClientStreamingCall/cancel()``.
    public func cancel() {
        call.cancel()
    }
}
