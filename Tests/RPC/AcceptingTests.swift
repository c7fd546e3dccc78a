import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import RPC

@Suite("accepting")
struct AcceptingTests {
    @Test("a client that sends its preface byte by byte has no more time for it than one that sends nothing")
    func slowPreface() async throws {
        try await withServer([.echo], configure: { $0.handshakeTimeout = .milliseconds(300) }) { channel, path in
            let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
            let words = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings
            let client = try RawClient(path)
            var sent = 0
            // A write fails once the server has closed the connection.
            for byte in words where Glibc.send(client.socket, [byte], 1, CInt(MSG_NOSIGNAL)) == 1 {
                sent += 1
                if sent == 3 {
                    let response: Text = try await channel.unary(.echo, Text(service: "other"), options: .init())
                    #expect(response.service == "other")
                }
                try await Task.sleep(for: .milliseconds(60))
            }
            #expect(sent < words.count)
        }
    }

    @Test("a listener without descriptors rests and accepts again later; what isn't about descriptors goes on")
    func pauses() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (seen, passed) = (Errors(), Errors())
        let pause = AcceptPause { number, _ in seen.note(number) }
        let listener = try await ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(pause, position: .first)
                    try channel.pipeline.syncOperations.addHandler(ErrorCounter(errors: passed))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        for number in [EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED] {
            listener.pipeline.fireErrorCaught(IOError(errnoCode: number, reason: "accept"))
        }
        listener.pipeline.fireErrorCaught(ChannelError.inappropriateOperationForState)
        try await listener.eventLoop.submit {}.get()
        #expect(seen.numbers == [EMFILE, ENFILE, ENOBUFS, ENOMEM] && pause.count == 4)
        #expect(passed.numbers.count == 1)
        #expect(try await listener.getOption(.autoRead).get() == false)
        while try await listener.getOption(.autoRead).get() == false { try await Task.sleep(for: .milliseconds(20)) }
        let client = try await ClientBootstrap(group: group).connect(to: try #require(listener.localAddress)).get()
        try await client.close()
        try await listener.close()
        try await group.shutdownGracefully()
    }

    private final class Errors: Sendable {
        private let noted = Mutex<[Int32]>([])

        var numbers: [Int32] { noted.withLock { $0 } }

        func note(_ number: Int32) { noted.withLock { $0.append(number) } }
    }

    /// Errors that nobody before it took.
    private final class ErrorCounter: ChannelInboundHandler, Sendable {
        typealias InboundIn = any Channel

        private let errors: Errors

        init(errors: Errors) { self.errors = errors }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.note(0) }
    }
}
