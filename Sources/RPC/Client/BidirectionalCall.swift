public import NIOCore
public import ProtobufC

/// A call of many requests and many responses, each at its own pace. Letting go of it and of its responses before the
/// end cancels the call.
///
/// Cancelling a task that waits in `send`, or for a response, cancels the call too.
public final class BidirectionalCall<Request: ProtobufMessage, Response: ProtobufMessage>: Sendable {
    private let raw: RawBidirectionalCall

    init(_ raw: RawBidirectionalCall) {
        self.raw = raw
    }

    /// Sends one request. Waits while 64 KiB or more are on their way already, because the server takes them slowly.
    ///
    /// Throws ``RPCError``: the call's status when the server has ended it; INTERNAL, reason `CALL_ANSWERED`,
    /// when the server has ended it with OK without wanting more.
    public func send(_ request: Request) async throws {
        try await raw.call.send(MessageFraming.framed(request))
    }

    /// Says that there are no more requests.
    public func finish() {
        raw.finish()
    }

    /// The responses, read once. They end when the server ends the call with OK, and throw any other status.
    public var responses: ResponseStream<Response> { ResponseStream(raw.responses) }

    /// Whether requests sent from now on are compressed, in a call whose options say `gzip`: at first they are.
    public func setCompression(_ on: Bool) {
        raw.setCompression(on)
    }

    /// Ends the call, which fails with CANCELLED unless it is over.
    public func cancel() {
        raw.cancel()
    }
}

/// As ``BidirectionalCall``, with the encoded messages.
public final class RawBidirectionalCall: Sendable {
    let call: StreamingCall

    init(_ call: StreamingCall) {
        self.call = call
    }

    /// As ``BidirectionalCall/send(_:)``.
    public func send(_ request: ByteBuffer) async throws {
        try await call.send(MessageFraming.framed(request))
    }

    /// As ``BidirectionalCall/finish()``.
    public func finish() {
        call.finish()
    }

    /// As ``BidirectionalCall/responses``.
    public var responses: RawResponseStream { RawResponseStream(call) }

    /// As ``BidirectionalCall/setCompression(_:)``.
    public func setCompression(_ on: Bool) {
        call.setCompression(on)
    }

    /// As ``BidirectionalCall/cancel()``.
    public func cancel() {
        call.cancel()
    }
}
