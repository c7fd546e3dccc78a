public import NIOCore
public import ProtobufC

/// The responses of a server-streaming call. Iterating makes the call; letting go of the iterator cancels it.
///
/// The server is held back while elements aren't taken: HTTP/2's window opens only as they are. An iteration ends when
/// the server ends the call with OK, and throws ``RPCError`` for any other status.
public struct ResponseStream<R: ProtobufMessage>: AsyncSequence, Sendable {
    public typealias Element = R
    public typealias Failure = any Error

    private let raw: RawResponseStream

    init(_ raw: RawResponseStream) {
        self.raw = raw
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var raw: RawResponseStream.AsyncIterator

        public mutating func next() async throws -> R? {
            try await next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> R? {
            guard let bytes = try await raw.next(isolation: actor) else { return nil }
            do throws(RPCError) {
                return try RPCChannel.decode(bytes)
            } catch {
                raw.finish()
                throw error
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(raw: raw.makeAsyncIterator())
    }
}

/// As ``ResponseStream``, with the encoded messages.
public struct RawResponseStream: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer
    public typealias Failure = any Error

    fileprivate let channel: RPCChannel
    fileprivate let method: MethodDescriptor
    fileprivate let framedRequest: ByteBuffer
    fileprivate let options: CallOptions

    init(channel: RPCChannel, method: MethodDescriptor, _ framedRequest: ByteBuffer, _ options: CallOptions) {
        self.channel = channel
        self.method = method
        self.framedRequest = framedRequest
        self.options = options
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private enum Phase {
            case notCalled(RawResponseStream)
            case open(StreamingCall)
            case over
        }

        private var phase: Phase

        fileprivate init(_ stream: RawResponseStream) {
            phase = .notCalled(stream)
        }

        public mutating func next() async throws -> ByteBuffer? {
            try await next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
            if case .notCalled(let stream) = phase {
                // A failure to make the call ends the iteration, as one later would.
                phase = .over
                phase = .open(try await stream.call())
            }
            guard case .open(let call) = phase else { return nil }
            switch await call.next() {
            case .message(let message):
                return message.bytes
            case .end:
                phase = .over
                return nil
            case .failure(let failure):
                phase = .over
                throw failure.error
            }
        }

        mutating func finish() {
            phase = .over
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }

    private func call() async throws(RPCError) -> StreamingCall {
        var options = options
        let begun = try await channel.begin(method, &options)
        do throws(RPCError) {
            return try await StreamingCall(channel, method, framedRequest, options, begun: begun)
        } catch {
            channel.end(method, begun: begun, error)
            throw error
        }
    }
}
