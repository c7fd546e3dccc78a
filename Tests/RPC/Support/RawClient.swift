import Glibc
import NIOCore
import ProtobufC
import Synchronization
import Testing

@testable import RPC

/// A client that can misbehave: raw bytes, or HTTP/2 frames of its own choosing, on a blocking socket.
final class RawClient: HTTP2SessionDelegate {
    let socket: CInt
    private var session: HTTP2Session?
    private(set) var isClosed = false
    /// PING frames that have come, answers included, and the acknowledgement of the settings.
    private(set) var receivedControls = 0
    /// Of them PING frames that are no answers; and DATA frames without data that don't end their stream.
    private(set) var receivedAccompanying = 0
    private(set) var goAways = 0
    private var hasSettings = false

    convenience init(_ path: String) throws {
        try self.init(name: Array(path.utf8), length: MemoryLayout<sockaddr_un>.size)
    }

    /// Connects to a name in the abstract namespace.
    convenience init(abstract name: String) throws {
        let bytes = [0] + Array(name.utf8)
        try self.init(name: bytes, length: 2 + bytes.count)
    }

    private init(name: [UInt8], length: Int) throws {
        socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard RawClient.connect(socket, name, length) else { throw RPCError(.unavailable, "no server") }
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Whether the server lets a socket of the test's own in.
    static func connect(_ socket: CInt, to path: String) -> Bool {
        connect(socket, Array(path.utf8), MemoryLayout<sockaddr_un>.size)
    }

    private static func connect(_ socket: CInt, _ name: [UInt8], _ length: Int) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        return withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, socklen_t(length)) }
        } == 0
    }

    deinit {
        close(socket)
    }

    func write(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if written <= 0 { return }
            offset += written
        }
    }

    /// What has come, or nothing when the connection has ended.
    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count <= 0 { isClosed = true }
        return Array(buffer.prefix(max(count, 0)))
    }

    // MARK: HTTP/2

    /// Never freed, so there is one.
    private static let noHeaders = StaticHeaders([])

    func open(window: Int = 256 * 1024) {
        let settings = HTTP2Session.Settings(
            maxConcurrentStreams: 0, maxHeaderListBytes: 64 * 1024, streamWindow: window,
            connectionWindow: 4 * 1024 * 1024)
        session = HTTP2Session(side: .client, settings: settings, delegate: self)
    }

    /// Sends a request with that body, as it is; `end` without which it stays open.
    func request(_ headers: Metadata, body: [UInt8], end: Bool = true) -> RawResponse {
        let response = RawResponse()
        response.outbound.append(ByteBuffer(bytes: body))
        if end { response.outboundEnd = .endOfStream }
        _ = session?.submitRequest(response, Self.noHeaders, headers, nil, [:])
        flush()
        return response
    }

    /// Sends more of a body that stayed open, as far as the windows allow.
    func send(_ body: [UInt8], on response: RawResponse, end: Bool = false) {
        response.outbound.append(ByteBuffer(bytes: body))
        if end { response.outboundEnd = .endOfStream }
        session?.resume(response)
        flush()
    }

    /// Ends a body that stayed open.
    func end(_ response: RawResponse) {
        send([], on: response, end: true)
    }

    func ping() {
        session?.submitPing()
        flush()
    }

    func reset(_ response: RawResponse) {
        session?.reset(response, .cancel)
        flush()
    }

    /// The reader has taken so much.
    func consume(_ response: RawResponse, _ count: Int) {
        session?.consumeStream(response, count)
        flush()
    }

    func flush() {
        var buffer = ByteBuffer()
        _ = try? session?.send(into: &buffer, upTo: .max)
        write(Array(buffer.readableBytesView))
    }

    /// Reads until the response is over, or the connection.
    func finish(_ response: RawResponse) {
        while !response.isOver, !isClosed { receive() }
    }

    /// Reads until the response is over, as ``finish(_:)``, and lets other tasks run meanwhile.
    func wait(for response: RawResponse) async throws {
        try await wait { response.isOver }
    }

    /// Reads until the condition holds, the connection is over, or ten seconds have passed.
    func wait(
        sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
    ) async throws {
        let end = ContinuousClock.now.advanced(by: .seconds(10))
        while !condition(), !isClosed, .now < end {
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 0) > 0 {
                receive()
            } else {
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        if !condition(), !isClosed { Issue.record("what is waited for doesn't come", sourceLocation: sourceLocation) }
    }

    /// As ``wait(for:)``, and tells the window of what has come.
    func read(_ response: RawResponse) async throws {
        try await wait {
            if response.body.count > response.consumed {
                consume(response, response.body.count - response.consumed)
                response.consumed = response.body.count
            }
            return response.isOver
        }
    }

    func receive() {
        let bytes = read()
        bytes.withUnsafeBytes { bytes in _ = try? session?.receive(bytes) }
        flush()
    }

    func streamBegan(id: Int32) -> HTTP2Stream? { nil }
    func streamClosed(_ stream: HTTP2Stream) {}
    func settingsReceived() { hasSettings = true }
    func goAwayReceived(forPings: Bool) { goAways += 1 }
    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool {
        switch frame {
        case .accompanying:
            receivedControls += 1
            receivedAccompanying += 1
        case .control where hasSettings: receivedControls += 1
        default: break
        }
        return true
    }
}

/// What a raw client is told.
final class RawResponse: HTTP2Stream, @unchecked Sendable {
    // Unchecked: used by one test on one thread.
    /// The pairs of all blocks; of several with one name, the last.
    private(set) var headers: [String: String] = [:]
    /// The header blocks, in order: the response headers and the trailers.
    private(set) var blocks: [[(name: String, value: String)]] = []
    private var isInBlock = false
    private(set) var body: [UInt8] = []
    private(set) var isOver = false
    private(set) var resetCode: UInt32?
    /// How much of the body its window has been told of.
    var consumed = 0

    override func receivedHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        let pair = (name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
        headers[pair.name] = pair.value
        if !isInBlock { blocks.append([]) }
        isInBlock = true
        blocks[blocks.count - 1].append(pair)
        return true
    }

    override func receivedHeaders(endOfStream: Bool) {
        isInBlock = false
    }

    /// Every value with that name, in order.
    func values(_ name: String) -> [String] {
        blocks.joined().filter { $0.name == name }.map(\.value)
    }

    /// The messages that have come whole.
    var messages: [Text] {
        var found: [Text] = []
        var left = body[...]
        while left.count >= 5 {
            let length = left.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard left.count >= 5 + length else { break }
            if let text = try? Text(serialized: Array(left.dropFirst(5).prefix(length))) { found.append(text) }
            left = left.dropFirst(5 + length)
        }
        return found
    }

    override func receivedData(_ bytes: UnsafeRawBufferPointer) {
        body += bytes
    }

    override func closed(code: UInt32) {
        isOver = true
        resetCode = code
    }
}

extension Metadata {
    /// Appends a pair just as it is said.
    mutating func append(raw name: String, _ value: String) {
        Array(name.utf8).withUnsafeBytes { name in
            Array(value.utf8).withUnsafeBytes { append(name: name, value: $0) }
        }
    }

    /// The headers of a well-formed request.
    static func request(_ path: String = MethodDescriptor.echo.path, changes: [String: String?] = [:]) -> Metadata {
        var headers: [(String, String)] = [
            (":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", path),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        for (name, value) in changes {
            headers.removeAll { $0.0 == name }
            if let value { headers.insert((name, value), at: name.hasPrefix(":") ? 0 : headers.count) }
        }
        var metadata = Metadata()
        for (name, value) in headers { metadata.add(name, value) }
        return metadata
    }
}

/// A message as it goes into DATA frames.
func framed(_ text: String) -> [UInt8] {
    let message = Text(service: text).serialized()
    return [0] + withUnsafeBytes(of: UInt32(message.count).bigEndian) { Array($0) } + message
}

/// The bytes one after the other so many times.
func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(bytes.count * count)
    // Not by a lazy sequence, which takes seconds for megabytes in a debug build.
    for _ in 0..<count { all += bytes }
    return all
}

/// The status of a call's answer.
func expect(
    _ code: RPCError.Code?, _ response: RawResponse, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(response.headers["grpc-status"] == String(code?.rawValue ?? 0), sourceLocation: sourceLocation)
}

/// A server and a client on one connection to it.
func withRawClient(
    _ handlers: [MethodHandler], configure: (inout RPCServer.Configuration) -> Void = { _ in },
    window: Int = 256 * 1024, _ body: (RawClient) async throws -> Void
) async throws {
    try await withServer(handlers, configure: configure) { _, path in
        let client = try RawClient(path)
        client.open(window: window)
        try await body(client)
    }
}
