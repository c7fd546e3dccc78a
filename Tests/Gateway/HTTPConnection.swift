import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// An answer, taken apart.
struct HTTPAnswer {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:] }

    var error: [String: Any] { json["error"] as? [String: Any] ?? [:] }

    var code: String { error["code"] as? String ?? "" }
    var reason: String { error["reason"] as? String ?? "" }
    var message: String { error["message"] as? String ?? "" }
    var bound: String { error["bound"] as? String ?? "" }
    var fields: [String] { (error["fields"] as? [[String: String]] ?? []).compactMap { $0["field"] } }
}

/// A client that sees the very bytes.
final class HTTPConnection: Sendable {
    private final class Reader: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let received = Mutex<[UInt8]>([])
        let isOver = Mutex(false)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            received.withLock { $0 += bytes }
        }

        func channelInactive(context: ChannelHandlerContext) { isOver.withLock { $0 = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let reader = Reader()

    /// - Parameter address: the client's own, any of 127.0.0.0/8, so that there can be several clients.
    init(port: Int, group: MultiThreadedEventLoopGroup, from address: String? = nil) async throws {
        let reader = reader
        var bootstrap = ClientBootstrap(group: group)
        if let address { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: address, port: 0)) }
        channel =
            try await bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(reader) }
            }
            .channelOption(.allowRemoteHalfClosure, value: false)
            .connect(host: "127.0.0.1", port: port).get()
    }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    func send(_ verb: String, _ path: String, headers: [(String, String)] = [], body: String = "") async throws {
        let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        try await send("\(verb) \(path) HTTP/1.1\r\nHost: test\r\n\(lines)\r\n\(body)")
    }

    /// Takes nothing more from the socket.
    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

    func close() { channel.close(promise: nil) }

    /// Bytes so far.
    var byteCount: Int { reader.received.withLock { $0.count } }

    var isClosed: Bool { reader.isOver.withLock { $0 } }

    /// All that has come, as it came.
    var everything: String { reader.received.withLock { String(decoding: $0, as: UTF8.self) } }

    /// The statuses of all answers so far, for answers whose bodies begin no line like a status line.
    var statuses: [Int] {
        everything.matches(of: #/HTTP/1\.[01] ([0-9]{3}) /#).compactMap { Int($0.output.1) }
    }

    /// Says that nothing more will be sent, and goes on reading.
    func finishSending() async throws { try await channel.close(mode: .output).get() }

    /// Everything so far, with chunks put together.
    var answer: HTTPAnswer? {
        let bytes = reader.received.withLock { $0 }
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        var body = Array(bytes[end.upperBound...])
        if headers["transfer-encoding"] == "chunked" { (body, headers["x-test-complete"]) = Self.unchunked(body) }
        return HTTPAnswer(status: status, headers: headers, body: body)
    }

    private static func unchunked(_ bytes: [UInt8]) -> ([UInt8], String?) {
        var out: [UInt8] = []
        var rest = bytes[...]
        while let line = rest.firstRange(of: [13, 10]),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16)
        {
            if size == 0 { return (out, "yes") }
            guard rest.distance(from: line.upperBound, to: rest.endIndex) >= size + 2 else { break }
            out += rest[line.upperBound..<(line.upperBound + size)]
            rest = rest[(line.upperBound + size + 2)...]
        }
        return (out, nil)
    }

    /// Waits for an answer with its whole body.
    func wholeAnswer() async throws -> HTTPAnswer {
        try await eventually("a whole answer comes") { self.isWhole }
        return self.answer ?? HTTPAnswer(status: 0, headers: [:], body: [])
    }

    private var isWhole: Bool {
        guard let answer else { return false }
        if answer.status == 304 { return true }
        if let length = answer.headers["content-length"].flatMap({ Int($0) }) { return answer.body.count >= length }
        return answer.headers["x-test-complete"] != nil
    }

    /// A server-sent event; what it does not say is empty.
    struct Event {
        var id = ""
        var name = ""
        var data = ""
    }

    /// The events so far.
    var events: [Event] {
        guard let text = answer?.text else { return [] }
        return text.components(separatedBy: "\n\n").dropLast().compactMap { block in
            var event = Event()
            for line in block.split(separator: "\n") {
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { event.data += line.dropFirst(6) }
            }
            return event.name.isEmpty ? nil : event
        }
    }

    /// Waits for that many events, and gives what there is.
    func events(atLeast count: Int) async throws -> [Event] {
        try await eventually("\(count) events come") { self.events.count >= count }
        return events
    }
}

extension Collection where Element: Equatable {
    fileprivate func firstRange(of pattern: [Element]) -> Range<Index>? {
        var start = startIndex
        while start != endIndex {
            if let found = self[start...].firstIndex(of: pattern[0]) {
                let candidate = self[found...].prefix(pattern.count)
                guard candidate.count == pattern.count else { return nil }
                if candidate.elementsEqual(pattern) { return found..<candidate.endIndex }
                start = index(after: found)
            } else {
                return nil
            }
        }
        return nil
    }
}
