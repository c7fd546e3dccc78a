public import NIOCore
public import ProtobufC
internal import Synchronization

/// The requests of a streaming call, at the pace its handler takes them: HTTP/2's window opens only as they are taken,
/// so a slow handler slows its own caller and nobody else.
///
/// Each request is handed out once, whichever iterator asks. One task reads at a time: of two that wait, the second
/// fails with FAILED_PRECONDITION. The iteration ends when the caller has sent its last request, and throws
/// ``RPCError``: `cancelled` when the call is over otherwise (the caller is gone, the deadline has passed) or the task
/// that reads is cancelled, INVALID_ARGUMENT for a request that can't be decoded.
public struct RequestStream<Request: ProtobufMessage>: AsyncSequence, Sendable {
    public typealias Element = Request
    public typealias Failure = RPCError

    private let raw: RawRequestStream

    init(_ raw: RawRequestStream) {
        self.raw = raw
    }

    /// A stream of these requests: for testing a handler without a server.
    public init(_ requests: [Request]) {
        raw = RawRequestStream(requests.map { ByteBuffer(bytes: $0.serialized()) })
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var raw: RawRequestStream.AsyncIterator

        public mutating func next() async throws(RPCError) -> Request? {
            try await next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> Request? {
            guard let bytes = try await raw.next(isolation: actor) else { return nil }
            do throws(RPCError) {
                return try MethodHandler.decode(Request.self, from: bytes)
            } catch {
                raw.isOver = true
                throw error
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(raw: raw.makeAsyncIterator())
    }
}

/// As ``RequestStream``, with the encoded messages.
public struct RawRequestStream: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer
    public typealias Failure = RPCError

    fileprivate enum Source: Sendable {
        case call(ServerStream, RequestInbox, ServerCall)
        case list(RequestList)
    }

    private let source: Source

    init(_ stream: ServerStream, _ inbox: RequestInbox, _ call: ServerCall) {
        source = .call(stream, inbox, call)
    }

    /// A stream of these requests: for testing a handler without a server.
    public init(_ requests: [ByteBuffer]) {
        source = .list(RequestList(requests))
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let source: Source
        fileprivate var isOver = false

        fileprivate init(_ source: Source) {
            self.source = source
        }

        public mutating func next() async throws(RPCError) -> ByteBuffer? {
            try await next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> ByteBuffer? {
            if isOver { return nil }
            do throws(RPCError) {
                let request: ByteBuffer? =
                    switch source {
                    case .call(let stream, let inbox, let call): try await stream.nextRequest(inbox, call)
                    case .list(let list): list.next()
                    }
                isOver = request == nil
                return request
            } catch {
                isOver = true
                throw error
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source)
    }
}

/// Requests that no caller sends: what a test gives to a handler.
private final class RequestList: Sendable {
    private let left: Mutex<ArraySlice<ByteBuffer>>

    init(_ requests: [ByteBuffer]) {
        left = Mutex(requests[...])
    }

    func next() -> ByteBuffer? {
        left.withLock { $0.popFirst() }
    }
}
