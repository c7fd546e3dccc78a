import NIOCore
import NIOEmbedded

@testable import RPC

/// A connection on an event loop of its own, on this thread, whose other end is what the input says.
///
/// Everything happens in the order of the calls: nothing else runs, so an input always does the same.
final class Wire {
    let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private var written = FrameReader()
    private(set) var received = 0
    /// How often time was made to leap, which mustn't reach the deadlines of hours that peers ask for.
    private var leaps = 0

    init() {
        loop.advanceTime(to: .now())
        channel = EmbeddedChannel(handlers: [], loop: loop)
    }

    /// The bytes that were written to it so far.
    var sent: Int { written.bytes }
    var isOpen: Bool { channel.isActive }

    func connect(_ connection: HTTP2Connection) throws(FuzzFailure) {
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/fuzz")).wait()
        } catch {
            throw FuzzFailure(description: "the connection isn't made: \(error)")
        }
        try settle()
    }

    /// The peer's bytes arrive, in one read.
    func receive(_ bytes: [UInt8]) throws(FuzzFailure) {
        guard isOpen, !bytes.isEmpty else { return }
        received += bytes.count
        // Errors that reach the end of the pipeline close the connection, which is seen by that.
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        try settle()
    }

    /// The peer reads or stops reading.
    func setReading(_ reads: Bool) throws(FuzzFailure) {
        guard channel.isWritable != reads else { return }
        channel.isWritable = reads
        channel.pipeline.fireChannelWritabilityChanged()
        try settle()
    }

    /// What was left for later is done, and what was written is looked at.
    func settle() throws(FuzzFailure) {
        loop.advanceTime(to: .now())
        while let buffer = (try? channel.readOutbound(as: ByteBuffer.self)) ?? nil {
            try written.append(buffer.readableBytesView)
        }
    }

    /// A second and a half pass: longer than a handshake or an unread response may take here.
    func leap() throws(FuzzFailure) {
        guard leaps < 4 else { return }
        leaps += 1
        loop.advanceTime(by: .milliseconds(1500))
        try settle()
    }

    /// The connection is closed by the peer, unless it is already, and forgotten.
    func close() throws(FuzzFailure) {
        if isOpen { channel.close(promise: nil) }
        loop.run()
        try settle()
    }

    /// Nothing is left to be done: what is scheduled for later than this second is a timer that nobody stopped.
    func finish() {
        loop.advanceTime(by: .seconds(1))
        _ = try? channel.finish()
        loop.run()
    }
}
