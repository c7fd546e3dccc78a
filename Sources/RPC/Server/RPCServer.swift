public import Logging
public import NIOPosix

public final class RPCServer: Sendable {
    public init(
        configuration: Configuration, handlers: [MethodHandler], interceptors: [any ServerInterceptor] = [],
        health: HealthService, logger: Logger, group: MultiThreadedEventLoopGroup
    ) {}
    public func start() async throws {}
    public func run() async throws {}
    public func shutDown() async {}
}
final class ServerStream: Sendable { func send(framed: ByteBuffer) async throws(RPCError) {} }
internal import NIOCore
