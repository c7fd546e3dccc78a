public import Logging
public import NIOCore
public import NIOPosix
public import ProtobufC
internal import Synchronization

/// Calls methods of a server on a Unix socket, over one HTTP/2 connection.
///
/// It connects when the first call is made, and again when a call finds the connection gone. A call that can't reach
/// the server fails at once with UNAVAILABLE and the reason `NEIGHBOUR_UNAVAILABLE`, unless it waits for the server
/// (``CallOptions/waitForReady``). Every method throws ``RPCError``.
public final class RPCChannel: Sendable {
    let socketPath: String
    let name: String
    let interceptors: [any ClientInterceptor]
    let group: MultiThreadedEventLoopGroup
    let logger: Logger
    let limits = ClientLimits()
    let link = Mutex(ChannelLink())

    /// - Parameters:
    ///   - name: what the server is called in errors.
    ///   - group: gives the connection its event loop; it must outlive the channel.
    public init(
        socketPath: String, name: String, interceptors: [any ClientInterceptor] = [],
        group: MultiThreadedEventLoopGroup, logger: Logger
    ) {
        self.socketPath = socketPath
        self.name = name
        self.interceptors = interceptors
        self.group = group
        self.logger = logger
    }

    deinit {
        if case .ready(let connection) = link.withLock({ $0.phase }) {
            connection.executor.perform { connection.close() }
        }
    }

    /// One request, one response.
    public func unary<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor, _ request: Request, options: CallOptions, as type: Response.Type = Response.self
    ) async throws -> Response {
        let bytes = try await call(method, MessageFraming.framed(request), options)
        return try RPCChannel.decode(bytes)
    }

    /// One request, any number of responses. The call is made when iteration begins, once per iteration.
    public func serverStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor, _ request: Request, options: CallOptions, as type: Response.Type = Response.self
    ) -> ResponseStream<Response> {
        ResponseStream(RawResponseStream(channel: self, method: method, MessageFraming.framed(request), options))
    }

    /// As ``unary(_:_:options:as:)``, with the encoded messages: for forwarding without decoding.
    public func rawUnary(
        _ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions
    ) async throws -> ByteBuffer {
        try await call(method, MessageFraming.framed(request), options)
    }

    /// As ``serverStreaming(_:_:options:as:)``, with the encoded messages: for forwarding without decoding.
    public func rawServerStreaming(
        _ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions
    ) -> RawResponseStream {
        RawResponseStream(channel: self, method: method, MessageFraming.framed(request), options)
    }

    /// Ends the connection and the calls on it; calls made later fail. Returns when the connection is closed.
    public func close() async {
        let (connection, waiters) = link.withLock { $0.close() }
        for waiter in waiters { waiter.resume(.failure(unreachable)) }
        guard let connection else { return }
        await withUnsafeContinuation { continuation in
            connection.executor.perform { connection.close { continuation.resume() } }
        }
    }

    /// What calls are told that can't reach the server.
    var unreachable: RPCError {
        RPCError(.unavailable, "\(name) is not reachable", reason: "NEIGHBOUR_UNAVAILABLE")
    }

    static func decode<Response: ProtobufMessage>(_ bytes: ByteBuffer) throws(RPCError) -> Response {
        do throws(ProtobufError) {
            return try Response(serialized: bytes)
        } catch {
            throw RPCError(.internal, "response: \(error)")
        }
    }
}
