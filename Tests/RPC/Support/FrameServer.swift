import NIOCore
import NIOPosix
import Synchronization

@testable import RPC

/// One HTTP/2 frame as it came (RFC 9113, section 4.1).
struct Frame: Sendable {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
    }

    static let endOfStream: UInt8 = 0x1
    static let acknowledgement: UInt8 = 0x1
    static let endOfHeaders: UInt8 = 0x4

    var type: UInt8
    var flags: UInt8 = 0
    var stream: Int = 0
    var payload: [UInt8] = []

    var kind: Kind? { Kind(rawValue: type) }
    var endsStream: Bool { (kind == .data || kind == .headers) && flags & Frame.endOfStream != 0 }

    var bytes: [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16 & 0xff), UInt8(length >> 8 & 0xff), UInt8(length & 0xff), type, flags]
            + withUnsafeBytes(of: UInt32(stream).bigEndian) { Array($0) } + payload
    }
}

extension Frame {
    static func make(_ kind: Kind, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> Frame {
        Frame(type: kind.rawValue, flags: flags, stream: stream, payload: payload)
    }

    static func settings(_ values: [(UInt16, UInt32)] = []) -> Frame {
        var payload: [UInt8] = []
        for (name, value) in values {
            payload += withUnsafeBytes(of: name.bigEndian) { Array($0) }
            payload += withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }
        return make(.settings, payload)
    }

    static let settingsAcknowledged = make(.settings, flags: acknowledgement)

    static func ping(flags: UInt8 = 0) -> Frame { make(.ping, flags: flags, [0, 1, 2, 3, 4, 5, 6, 7]) }

    /// A header block in HPACK's plainest form: literals that are not indexed (RFC 7541, 6.2.2).
    static func headers(_ stream: Int, _ pairs: [(String, String)], end: Bool = false) -> Frame {
        var block: [UInt8] = []
        for (name, value) in pairs { block += [0] + text(name) + text(value) }
        return make(.headers, flags: endOfHeaders | (end ? endOfStream : 0), stream: stream, block)
    }

    /// HPACK's string literal: its length with a prefix of seven bits, and the octets (RFC 7541, 5.1 and 5.2).
    private static func text(_ text: String) -> [UInt8] {
        var left = text.utf8.count
        if left < 127 { return [UInt8(left)] + text.utf8 }
        var bytes: [UInt8] = [127]
        left -= 127
        while left >= 128 {
            bytes.append(UInt8(left % 128 + 128))
            left /= 128
        }
        return bytes + [UInt8(left)] + text.utf8
    }

    static func responseHeaders(_ stream: Int, _ more: [(String, String)] = []) -> Frame {
        headers(stream, [(":status", "200"), ("content-type", "application/grpc")] + more)
    }

    static func trailers(_ stream: Int, _ status: Int = 0, _ more: [(String, String)] = []) -> Frame {
        headers(stream, [("grpc-status", String(status))] + more, end: true)
    }

    /// A response that is a status alone.
    static func trailersOnly(_ stream: Int, _ status: Int, _ more: [(String, String)] = []) -> Frame {
        headers(
            stream, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", String(status))] + more,
            end: true)
    }

    static func data(_ stream: Int, _ payload: [UInt8], end: Bool = false) -> Frame {
        make(.data, flags: end ? endOfStream : 0, stream: stream, payload)
    }

    static func reset(_ stream: Int, _ code: UInt32) -> Frame {
        make(.reset, stream: stream, withUnsafeBytes(of: code.bigEndian) { Array($0) })
    }

    static func goAway(last: Int, code: UInt32 = 0) -> Frame {
        make(
            .goAway,
            withUnsafeBytes(of: UInt32(last).bigEndian) { Array($0) }
                + withUnsafeBytes(of: code.bigEndian) { Array($0) })
    }

    static func windowUpdate(_ stream: Int, _ count: Int) -> Frame {
        make(.windowUpdate, stream: stream, withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) })
    }

    /// What a server says when all is well: one message, then the status OK.
    static func answer(_ stream: Int, _ text: String) -> [Frame] {
        [responseHeaders(stream), data(stream, framed(text)), trailers(stream)]
    }
}

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
        private var context: ChannelHandlerContext?

        fileprivate init(_ server: FrameServer, number: Int) {
            self.server = server
            self.number = number
        }

        func channelActive(context: ChannelHandlerContext) {
            self.context = context
            if server.greets { send(.settings()) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.context = nil
            server.closed.update { $0 += 1 }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
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
    let accepted = Shared(0)
    private let channels = Shared<[any Channel]>([])
    let closed = Shared(0)
    private let listener = Mutex<(any Channel)?>(nil)

    init(greets: Bool = true, script: @escaping Script) {
        self.greets = greets
        self.script = script
    }

    func start(_ path: String) async throws {
        let channel = try await ServerBootstrap(group: testGroup)
            .childChannelInitializer { channel in
                var number = 0
                self.accepted.update {
                    number = $0
                    $0 += 1
                }
                self.channels.update { $0.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(self, number: number))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        listener.withLock { $0 = channel }
    }

    func stop() async throws {
        let channel = listener.withLock { $0 }
        try await channel?.close()
    }

    /// Sends frames on one of the connections, from the test.
    func push(on connection: Int = 0, _ frames: Frame...) async throws {
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
