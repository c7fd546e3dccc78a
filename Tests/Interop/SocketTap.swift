import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A Unix socket that hands everything on to another one, both ways, and counts the HTTP/2 frames that pass.
final class SocketTap: Sendable {
    /// What one side has sent, all connections together.
    struct Seen: Sendable {
        /// Frames by type (RFC 9113, 6).
        var frames: [UInt8: Int] = [:]
        /// PINGs that are not acknowledgements.
        var pings = 0
        /// The compression flag of each gRPC message, in the order they began.
        var messages: [UInt8] = []

        fileprivate mutating func add(_ frame: FrameCounter.Frame) {
            frames[frame.type, default: 0] += 1
            if frame.type == FrameCounter.ping, frame.flags & FrameCounter.ack == 0 { pings += 1 }
            messages += frame.messages
        }
    }

    private enum Side { case client, server }

    private struct State {
        var connections = 0
        var seen: [Side: Seen] = [:]
    }

    /// Where the tap listens, as gRPC writes targets.
    let target: String
    private let state = Mutex(State())
    private let listener: Mutex<(any Channel)?> = Mutex(nil)

    var connections: Int { state.withLock { $0.connections } }
    var client: Seen { state.withLock { $0.seen[.client] ?? Seen() } }
    var server: Seen { state.withLock { $0.seen[.server] ?? Seen() } }

    private init(target: String) {
        self.target = target
    }

    /// Listens in `folder` and hands on to `target`, `unix:PATH`.
    static func start(in folder: String, to target: String) async throws -> SocketTap {
        let path = "\(folder)/tap-\(UUID().uuidString.prefix(8)).sock"
        let tap = SocketTap(target: "unix:\(path)")
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { client in tap.connect(client, to: String(target.dropFirst("unix:".count))) }
            .bind(unixDomainSocketPath: path).get()
        tap.listener.withLock { $0 = listener }
        return tap
    }

    /// Accepts no more; connections end with their clients.
    func stop() async {
        try? await listener.withLock { $0 }?.close()
    }

    /// The client is not read from before this is done, nor the server before the client can be written to.
    private func connect(_ client: any Channel, to path: String) -> EventLoopFuture<Void> {
        state.withLock { $0.connections += 1 }
        return ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelInitializer { server in
                server.pipeline.addHandler(
                    Relay(to: client, wakesPeer: false, FrameCounter()) { self.note(.server, $0) })
            }
            .connect(unixDomainSocketPath: path)
            .flatMap { server in
                client.pipeline.addHandler(
                    Relay(to: server, wakesPeer: true, FrameCounter(skipping: FrameCounter.preface)) {
                        self.note(.client, $0)
                    })
            }
    }

    private func note(_ side: Side, _ frames: [FrameCounter.Frame]) {
        state.withLock { state in
            for frame in frames { state.seen[side, default: Seen()].add(frame) }
        }
    }
}

/// Hands on what one side sends, once it has been counted.
private final class Relay: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let peer: any Channel
    private let counter: Mutex<FrameCounter>
    private let note: @Sendable ([FrameCounter.Frame]) -> Void
    /// Whether the peer is not read from before this side can be written to.
    private let wakesPeer: Bool

    init(
        to peer: any Channel, wakesPeer: Bool, _ counter: FrameCounter,
        _ note: @escaping @Sendable ([FrameCounter.Frame]) -> Void
    ) {
        self.peer = peer
        self.wakesPeer = wakesPeer
        self.counter = Mutex(counter)
        self.note = note
    }

    func channelActive(context: ChannelHandlerContext) {
        if wakesPeer { peer.setOption(.autoRead, value: true).whenFailure { _ in self.peer.close(promise: nil) } }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        note(counter.withLock { $0.take(bytes) })
        peer.writeAndFlush(bytes, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        peer.close(promise: nil)
    }
}
