import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import RPC

/// A server that speaks frames by hand, so that it can say anything at all. It answers SETTINGS by itself, unless it is
/// told to be silent, and hands every frame to its script.
final class FrameServer: Sendable {
    /// One of its connections. Its methods are the script's, on the event loop.
    final class Connection: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        /// Which connection of the server's it is, from 0.
        let number: Int
        private let server: FrameServer
        private var received = ByteBuffer()
        private var hasPreface = false
        private let decoder: HeaderDecoder
        private var context: ChannelHandlerContext?

        fileprivate init(_ server: FrameServer, number: Int) {
            self.server = server
            self.number = number
            decoder = HeaderDecoder(server.requests)
        }

        func channelActive(context: ChannelHandlerContext) {
            self.context = context
            if server.greets { send(.settings()) }
            // Only now may a test push frames: what precedes SETTINGS is a protocol error (RFC 9113, 3.4).
            server.channels.update { $0.append(context.channel) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.context = nil
            server.closed.update { $0 += 1 }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            decoder.take(bytes)
            received.writeImmutableBuffer(bytes)
            if !hasPreface {
                guard received.readSlice(length: 24) != nil else { return }
                hasPreface = true
            }
            while let frame = nextFrame() {
                if server.greets, frame.kind == .settings, frame.flags & Frame.acknowledgement == 0 {
                    send(.settingsAcknowledged)
                }
                server.frames.update { $0.append(frame) }
                server.script(frame, self)
            }
        }

        private func nextFrame() -> Frame? {
            let start = received.readerIndex
            guard let length = received.readBytes(length: 3), let type = received.readInteger(as: UInt8.self),
                let flags = received.readInteger(as: UInt8.self), let stream = received.readInteger(as: UInt32.self),
                let payload = received.readBytes(
                    length: Int(length[0]) << 16 | Int(length[1]) << 8 | Int(length[2]))
            else {
                received.moveReaderIndex(to: start)
                return nil
            }
            return Frame(type: type, flags: flags, stream: Int(stream), payload: payload)
        }

        func send(_ frames: Frame...) { send(frames) }

        func send(_ frames: [Frame]) { write(frames.flatMap(\.bytes)) }

        func write(_ bytes: [UInt8]) {
            context?.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }

        func close() { context?.close(promise: nil) }
    }

    typealias Script = @Sendable (Frame, Connection) -> Void

    fileprivate let script: Script
    fileprivate let greets: Bool
    /// Every frame that came, over all connections.
    let frames = Shared<[Frame]>([])
    /// The headers of every request that came, over all connections.
    let requests = Shared<[Metadata]>([])
    let accepted = Shared(0)
    fileprivate let channels = Shared<[any Channel]>([])
    let closed = Shared(0)
    private let listener = Mutex<(any Channel)?>(nil)

    init(greets: Bool = true, script: @escaping Script) {
        self.greets = greets
        self.script = script
    }

    func start(_ path: String) async throws {
        let channel = try await bootstrap.bind(unixDomainSocketPath: path).get()
        listener.withLock { $0 = channel }
    }

    /// Listens on a name in the abstract namespace, whose address ends with it (unix(7)).
    func start(abstract name: String) async throws {
        let socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.utf8.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        guard result == 0, listen(socket, 16) == 0 else { throw RPCError(.unavailable, "can't listen") }
        let channel = try await bootstrap.withBoundSocket(socket).get()
        listener.withLock { $0 = channel }
    }

    private var bootstrap: ServerBootstrap {
        ServerBootstrap(group: testGroup)
            .childChannelInitializer { channel in
                var number = 0
                self.accepted.update {
                    number = $0
                    $0 += 1
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(self, number: number))
                }
            }
    }

    func stop() async throws {
        let channel = listener.withLock { $0 }
        try await channel?.close()
    }

    /// Sends frames on one of the connections, from the test.
    func push(on connection: Int = 0, _ frames: Frame...) async throws {
        // A client is connected as soon as its kernel has queued it, before this side's loop has looked.
        try await eventually("the connection is accepted") { channels.value.count > connection }
        try await channels.value[connection].writeAndFlush(ByteBuffer(bytes: frames.flatMap(\.bytes)))
    }

    /// How many frames of a kind came.
    func count(_ kind: Frame.Kind) -> Int {
        frames.value.count { $0.kind == kind }
    }

    /// The message bytes that came on a stream.
    func body(of stream: Int) -> [UInt8] {
        frames.value.filter { $0.kind == .data && $0.stream == stream }.flatMap(\.payload)
    }
}

/// Reads header blocks: a session that hears all that comes and is never heard itself.
private final class HeaderDecoder: HTTP2SessionDelegate {
    private final class Request: HTTP2Stream, @unchecked Sendable {
        // Unchecked: touched on one connection's event loop alone.
        let requests: Shared<[Metadata]>
        var headers = Metadata()

        init(_ requests: Shared<[Metadata]>) {
            self.requests = requests
        }

        override func receivedHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
            headers.append(name: name, value: value)
            return true
        }

        override func receivedHeaders(endOfStream: Bool) {
            let complete = headers
            requests.update { $0.append(complete) }
        }
    }

    private let requests: Shared<[Metadata]>
    private var session: HTTP2Session?
    private var streams: [HTTP2Stream] = []

    init(_ requests: Shared<[Metadata]>) {
        self.requests = requests
        let settings = HTTP2Session.Settings(
            maxConcurrentStreams: 100, maxHeaderListBytes: 64 * 1024, streamWindow: 1_000_000_000,
            connectionWindow: 1_000_000_000)
        session = HTTP2Session(side: .server, settings: settings, delegate: self)
    }

    func take(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { bytes in _ = try? session?.receive(bytes) }
    }

    func streamBegan(id: Int32) -> HTTP2Stream? {
        let request = Request(requests)
        streams.append(request)
        return request
    }
    func streamClosed(_ stream: HTTP2Stream) {}
    func settingsReceived() {}
    func goAwayReceived(forPings: Bool) {}
    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool { true }
}

/// A server of frames and a channel to it, both gone at the end.
func withFrameServer<Result>(
    greets: Bool = true, _ script: @escaping FrameServer.Script,
    _ body: (_ channel: RPCChannel, _ server: FrameServer) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let path = folder + "/s.sock"
        let server = FrameServer(greets: greets, script: script)
        try await server.start(path)
        let channel = makeChannel(path)
        do {
            let result = try await body(channel, server)
            await channel.close()
            try await server.stop()
            return result
        } catch {
            await channel.close()
            try await server.stop()
            throw error
        }
    }
}
