public import NIOCore
public import ProtobufC

/// The responses of a call that has many. Of a server-streaming call, iterating makes the call, and letting go of the
/// iterator cancels it; those of a ``BidirectionalCall`` are read once.
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

    /// Where the responses come from.
    fileprivate enum Source: Sendable {
        /// Each iteration makes a call of its own.
        case request(RPCChannel, MethodDescriptor, framed: ByteBuffer, CallOptions)
        /// A call that was made already, and is read once.
        case call(StreamingCall)
    }

    private let source: Source

    init(channel: RPCChannel, method: MethodDescriptor, _ framedRequest: ByteBuffer, _ options: CallOptions) {
        source = .request(channel, method, framed: framedRequest, options)
    }

    init(_ call: StreamingCall) {
        source = .call(call)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private enum Phase {
            case notCalled(RPCChannel, MethodDescriptor, framed: ByteBuffer, CallOptions)
            case open(StreamingCall)
            case over
        }

        private var phase: Phase

        fileprivate init(_ source: Source) {
            switch source {
            case .request(let channel, let method, let framed, let options):
                phase = .notCalled(channel, method, framed: framed, options)
            case .call(let call):
                phase = .open(call)
            }
        }

        public mutating func next() async throws -> ByteBuffer? {
            try await next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
            if case .notCalled(let channel, let method, let framed, let options) = phase {
                // A failure to make the call ends the iteration, as one later would.
                phase = .over
                phase = .open(try await StreamingCall.make(channel, method, RequestLog(complete: framed), options))
            }
            guard case .open(let call) = phase else { return nil }
            do throws(RPCError) {
                if let message = try await call.nextMessage() { return message }
                phase = .over
                return nil
            } catch {
                phase = .over
                throw error
            }
        }

        /// A response could not be read: the call is over.
        mutating func finish() {
            if case .open(let call) = phase { call.cancel() }
            phase = .over
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source)
    }
}
