public import Logging
public import NIOCore
public import NIOPosix
public import ProtobufC

public final class RPCChannel: Sendable {
    public init(
        socketPath: String, name: String, interceptors: [any ClientInterceptor] = [],
        group: MultiThreadedEventLoopGroup, logger: Logger
    ) {}
    public func unary<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor, _ request: Request, options: CallOptions, as: Response.Type = Response.self
    ) async throws -> Response { throw RPCError(.unimplemented, "") }
    public func serverStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: MethodDescriptor, _ request: Request, options: CallOptions, as: Response.Type = Response.self
    ) -> ResponseStream<Response> { ResponseStream() }
    public func rawUnary(
        _ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions
    ) async throws -> ByteBuffer { throw RPCError(.unimplemented, "") }
    public func rawServerStreaming(
        _ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions
    ) -> RawResponseStream { RawResponseStream() }
    public func close() async {}
}
public struct ResponseStream<R: ProtobufMessage>: AsyncSequence, Sendable {
    public typealias Element = R
    public typealias Failure = any Error
    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws -> R? { nil }
    }
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}
public struct RawResponseStream: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer
    public typealias Failure = any Error
    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws -> ByteBuffer? { nil }
    }
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}
