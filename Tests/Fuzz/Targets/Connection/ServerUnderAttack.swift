import Logging
import NIOCore
import Synchronization

@testable import RPC

/// A server with one connection.
final class ServerUnderAttack {
    /// Counts calls that interceptors have heard begin and not end.
    private final class CallCount: ServerInterceptor {
        let gate = FuzzGate()
        let open = Mutex(0)
        let all = Mutex(0)

        func begin(_ call: ServerCall) async throws(RPCError) {
            call[.gate] = gate
            open.withLock { $0 += 1 }
            all.withLock { $0 += 1 }
        }

        func end(_ call: ServerCall, outcome: RPCError?) {
            open.withLock { $0 -= 1 }
        }
    }

    let wire = Wire()
    private let context: ServerContext
    private let calls = CallCount()
    private weak var connection: ServerConnection?

    init(isNarrow: Bool) throws(FuzzFailure) {
        var configuration = RPCServer.Configuration(socketPath: "/fuzz")
        configuration.handshakeTimeout = .seconds(1)
        configuration.unreadResponseTimeout = .seconds(1)
        configuration.requestTimeout = .seconds(3600)
        if isNarrow {
            configuration.maxConcurrentStreams = 4
            configuration.maxHeaderListBytes = 512
            configuration.maxBufferedRequestBytes = 1000
            configuration.maxBufferedResponseBytes = 1000
            configuration.maxQueuedFrames = 64
            configuration.maxResetsPerSecond = 2
            configuration.maxControlFramesPerSecond = 2
            configuration.maxBufferedConnectionResponseBytes = 4000
            configuration.maxContinuations = 2
            configuration.maxSettingsEntries = 4
            configuration.requestTimeout = .microseconds(1)
            configuration.keepaliveInterval = .milliseconds(700)
            configuration.keepaliveTimeout = .milliseconds(300)
            configuration.maxConnectionAge = .seconds(2)
            configuration.maxConnectionAgeGrace = .seconds(1)
            configuration.responseCompression = true
        }
        context = ServerContext(
            configuration: configuration, methods: ServedMethods.table, interceptors: [calls],
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        let connection = ServerConnection(
            context: context, peer: Peer(uid: 0, gid: 0, pid: 0), eventLoop: wire.loop)
        self.connection = connection
        try wire.connect(connection)
    }

    func openGate() throws(FuzzFailure) {
        calls.gate.openForOne()
        try wire.settle()
    }

    /// The server begins to stop, or has waited long enough; mostly neither.
    func shutDown(_ step: Int) throws(FuzzFailure) {
        switch step {
        case 0: connection?.beginDrain()
        case 1: connection?.cancelCalls()
        default: break
        }
        try wire.settle()
    }

    /// What must hold at any time.
    func check(heapBefore: Int?) throws(FuzzFailure) {
        let calls = calls.all.withLock { $0 }
        // A handler here answers with 8 KiB at most for each of 32 messages, or with 16 times what it was sent.
        let answers = calls * 160 * 1024
        try require(wire.sent <= 64 * 1024 + 64 * wire.received + answers, "\(wire.sent) bytes are sent")
        if let connection { try checkCounts(connection) }
        guard let heapBefore, let heap = HeapInUse.bytes else { return }
        let most = 8 * 1024 * 1024 + 16 * wire.received + answers
        try require(heap - heapBefore <= most, "\(heap - heapBefore) bytes of memory for \(wire.received) received")
    }

    /// What the connection counts is what there is.
    private func checkCounts(_ connection: ServerConnection) throws(FuzzFailure) {
        let bound = context.configuration.maxBufferedResponseBytes + 72 * 1024
        var responses = 0
        var requests = 0
        for case let stream as ServerStream in connection.streams {
            try require(stream.outbound.count <= bound, "\(stream.outbound.count) bytes wait on one stream")
            responses += stream.outbound.count
            requests += stream.headers.buffered
        }
        let counted = connection.bufferedRequestBytes
        try require(counted == requests, "\(requests) bytes of requests wait, and \(counted) are counted")
        try require(
            connection.responseBytes >= responses,
            "\(responses) bytes of responses wait, and \(connection.responseBytes) are counted")
    }

    /// The connection ends; then everything must be over.
    func end() throws(FuzzFailure) {
        try endCalls()
        wire.finish()
        let open = calls.open.withLock { $0 }
        try require(open == 0, "\(open) calls have not ended")
        try require(context.connections.drain().isEmpty, "the connection is still among the server's")
        try require(connection == nil, "the connection isn't released")
    }

    private func endCalls() throws(FuzzFailure) {
        // Held for what it counts, and let go of before it is looked for.
        let ending = connection
        try wire.close()
        calls.gate.open()
        try wire.settle()
        guard let ending else { return }
        try checkCounts(ending)
        try require(ending.streams.isEmpty, "streams are left")
        try require(ending.calls.running == 0, "\(ending.calls.running) handlers are counted and not there")
    }
}
