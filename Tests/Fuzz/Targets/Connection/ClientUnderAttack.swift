import Logging
import NIOCore
import NIOPosix
import Synchronization

@testable import RPC

/// A client with one connection and calls on it.
final class ClientUnderAttack {
    /// Calls that have begun, and their outcomes.
    private final class CallCount: Sendable {
        let begun = Mutex(0)
        let ended = Mutex(0)
        let gate = FuzzGate()
    }

    let wire = Wire()
    private let channel: RPCChannel
    private let calls = CallCount()
    private var streams: [ClientStream] = []
    private weak var connection: ClientConnection?

    init() throws(FuzzFailure) {
        channel = RPCChannel(
            socketPath: "/fuzz", name: "fuzz", group: .singleton,
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        var limits = ClientLimits()
        limits.maxResponseBytes = 64 * 1024
        limits.maxWaitingCalls = 8
        let connection = ClientConnection(
            owner: channel.single, limits: limits, unreachable: channel.common.unreachable, eventLoop: wire.loop)
        self.connection = connection
        try wire.connect(connection)
    }

    /// Begins a call of any kind, with a deadline or without.
    func call(_ input: inout FuzzInput) throws(FuzzFailure) {
        let shape = input.byte()
        guard let connection, streams.count < 64 else { return }
        let kind = Self.kinds[Int(shape & 0x3)]
        let method = MethodDescriptor(
            service: "fuzz.Service", method: "Call", kind: kind, idempotent: true, maxRequestBytes: 4096,
            defaultDeadline: nil)
        let options = shape & 0x4 != 0 ? CallOptions(timeout: .microseconds(1)) : CallOptions()
        let request = MessageFraming.framed(ByteBuffer(repeating: 0x61, count: Int(shape >> 3) * 256))
        switch kind {
        case .unary, .serverStreaming:
            let stream = ClientStream(
                connection: connection, method: method, options: options, framedRequest: request)
            start(stream, on: connection, isStreaming: kind == .serverStreaming)
        case .clientStreaming, .bidirectional:
            let stream = ClientStream(
                connection: connection, method: method, options: options, requests: RequestLog())
            start(stream, on: connection, isStreaming: true)
            send(request, on: stream, times: Int(shape >> 3))
        }
        try wire.settle()
    }

    private static let kinds: [MethodDescriptor.Kind] = [.unary, .serverStreaming, .clientStreaming, .bidirectional]

    private func start(_ stream: ClientStream, on connection: ClientConnection, isStreaming: Bool) {
        streams.append(stream)
        let calls = calls
        calls.begun.withLock { $0 += 1 }
        if isStreaming {
            let queue = ResponseQueue(window: connection.limits.streamWindow)
            connection.start(stream, .many(queue))
            Task.immediate(executorPreference: connection.executor) {
                await ClientUnderAttack.readAll(queue, stream, calls.gate)
                calls.ended.withLock { $0 += 1 }
            }
        } else {
            Task.immediate(executorPreference: connection.executor) {
                _ = await withUnsafeContinuation { connection.start(stream, .single($0)) }
                calls.ended.withLock { $0 += 1 }
            }
        }
    }

    /// Sends requests as fast as they are let through, and says that there are no more.
    private func send(_ request: ByteBuffer, on stream: ClientStream, times: Int) {
        let calls = calls
        calls.begun.withLock { $0 += 1 }
        Task.immediate(executorPreference: stream.connection.executor) {
            var left = times
            while left > 0, await stream.send(framed: request) { left -= 1 }
            stream.finish()
            calls.ended.withLock { $0 += 1 }
        }
    }

    /// Takes one message each time that the input lets it.
    private static func readAll(_ queue: ResponseQueue, _ stream: ClientStream, _ gate: FuzzGate) async {
        while true {
            await gate.waitStubbornly()
            let item: ResponseQueue.Item
            if let (taken, opened) = queue.take() {
                if opened > 0 { stream.opened(opened) }
                item = taken
            } else {
                item = await withUnsafeContinuation { continuation in
                    let opened = queue.wait(continuation)
                    if opened > 0 { stream.opened(opened) }
                }
            }
            guard case .message = item else { return }
        }
    }

    func read(_ input: inout FuzzInput) throws(FuzzFailure) {
        for _ in 0..<1 + input.choice(8) { calls.gate.openForOne() }
        try wire.settle()
    }

    func cancel(_ input: inout FuzzInput) throws(FuzzFailure) {
        guard !streams.isEmpty else { return }
        connection?.cancel(input.pick(streams))
        try wire.settle()
    }

    /// What must hold at any time.
    func check(heapBefore: Int?) throws(FuzzFailure) {
        try require(
            wire.sent <= 64 * 1024 + 64 * wire.received + streams.count * 272 * 1024, "\(wire.sent) bytes are sent")
        guard let heapBefore, let heap = HeapInUse.bytes else { return }
        // Each call may hold requests that are on their way, and those that it can say again.
        let most = 4 * 1024 * 1024 + 16 * wire.received + streams.count * 288 * 1024
        try require(heap - heapBefore <= most, "\(heap - heapBefore) bytes of memory for \(wire.received) received")
    }

    /// The connection ends; then everything must be over.
    func end() throws(FuzzFailure) {
        try wire.close()
        calls.gate.open()
        streams = []
        wire.finish()
        let (begun, ended) = (calls.begun.withLock { $0 }, calls.ended.withLock { $0 })
        try require(begun == ended, "\(begun - ended) of \(begun) calls and senders have no outcome")
        try require(connection == nil, "the connection isn't released")
    }
}
