public import Logging
public import NIOCore
public import NIOPosix
public import ProtobufC
internal import Synchronization

/// Calls methods of a server on Unix sockets, over one HTTP/2 connection to each.
///
/// It connects when the first call is made, and again when a call finds the connection gone. A call that can't reach
/// the server fails at once with UNAVAILABLE and the reason `NEIGHBOUR_UNAVAILABLE`, unless it waits for the server
/// (``CallOptions/waitForReady``, ``ClientLimits/patience``). Every method throws ``RPCError``.
public final class RPCChannel: Sendable {
    let interceptors: [any ClientInterceptor]
    let common: Subchannel.Common
    /// The connection of a channel of one target, which needs no picking.
    let single: Subchannel
    /// Nil for a channel of one target whose health isn't watched.
    let picker: TargetPicker?
    let retrying: Retrying?
    /// Set once ``close()`` has been called: no call is made again from then on.
    let isClosed = Atomic(false)

    /// A channel to one socket.
    ///
    /// - Parameters:
    ///   - name: what the server is called in errors.
    ///   - group: gives the connection its event loop; it must outlive the channel.
    public convenience init(
        socketPath: String, name: String, interceptors: [any ClientInterceptor] = [],
        group: MultiThreadedEventLoopGroup, logger: Logger
    ) {
        self.init(targets: [.path(socketPath)], name: name, interceptors: interceptors, group: group, logger: logger)
    }

    /// A channel to one or several sockets of servers that are equals.
    ///
    /// - Parameters:
    ///   - targets: at least one; without any, calls fail as not reachable, and those that wait for the server wait until
    ///     their deadlines.
    ///   - policy: which of them a call goes to.
    ///   - name: what the server is called in errors.
    ///   - retry: when calls of idempotent methods that failed are made again; nil: only once, when a connection
    ///     died or the server refused them.
    ///   - healthCheckedService: the name under which each server's health is watched (`grpc.health.v1`; "" for the
    ///     server as a whole); one that isn't serving gets no calls. A server without health is taken to be well. Nil:
    ///     not watched.
    ///   - keepaliveInterval: how long at least, and at most twice, nothing comes from a server while calls are open
    ///     before it is asked for a sign of life; at least 10 ms. Servers may take frequent asking for an attack. Nil:
    ///     never asked.
    ///   - keepaliveTimeout: how long it has to give one before its connection is closed.
    ///   - maxIdle: how long at least, and at most twice, a connection without calls is kept; nil: for ever.
    ///   - group: gives the connections their event loops; it must outlive the channel.
    public init(
        targets: [RPCTarget], policy: PickPolicy = .pickFirst, name: String, retry: RetryPolicy? = nil,
        healthCheckedService: String? = nil, keepaliveInterval: Duration? = nil,
        keepaliveTimeout: Duration = .seconds(20), maxIdle: Duration? = nil, limits: ClientLimits = ClientLimits(),
        interceptors: [any ClientInterceptor] = [], group: MultiThreadedEventLoopGroup, logger: Logger
    ) {
        self.interceptors = interceptors
        let common = Subchannel.Common(
            name: name, group: group, logger: logger, limits: limits,
            times: ConnectionTimes(
                keepaliveInterval: keepaliveInterval, keepaliveTimeout: keepaliveTimeout, maxIdle: maxIdle))
        self.common = common
        let subchannels = targets.map { Subchannel($0, common) }
        single = subchannels.first ?? Subchannel(.path(""), common)
        let needsPicking = subchannels.count > 1 || healthCheckedService != nil
        picker =
            needsPicking
            ? TargetPicker(subchannels, policy: policy, watching: healthCheckedService, common) : nil
        retrying = retry.map { Retrying($0) }
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

    /// Ends the connections and the calls on them; calls made later fail. Returns when they are closed.
    public func close() async {
        isClosed.store(true, ordering: .relaxed)
        await picker?.close()
        await single.close()
    }

    var limits: ClientLimits { common.limits }

    static func decode<Response: ProtobufMessage>(_ bytes: ByteBuffer) throws(RPCError) -> Response {
        do throws(ProtobufError) {
            return try Response(serialized: bytes)
        } catch {
            throw RPCError(.internal, "response: \(error)")
        }
    }
}
