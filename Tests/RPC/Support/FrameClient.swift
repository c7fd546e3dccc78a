@testable import RPC

/// A client that sends frames by hand and hands out those that come: nothing of its own looks at what is said.
final class FrameClient {
    private let client: RawClient
    private var bytes: [UInt8] = []
    /// Everything that has come, in order.
    private(set) var frames: [Frame] = []

    /// Connects and says HTTP/2's first words.
    init(_ path: String) throws {
        client = try RawClient(path)
        client.write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Frame.settings().bytes)
    }

    func send(_ frames: [Frame]) { client.write(frames.flatMap(\.bytes)) }

    func send(_ frames: Frame...) { send(frames) }

    /// Reads until what has come suffices, the connection has ended, or nothing comes for ten seconds.
    func read(until suffices: ([Frame]) -> Bool) {
        while !suffices(frames), !client.isClosed {
            bytes += client.read()
            while let frame = Frame.take(from: &bytes) { frames.append(frame) }
        }
    }

    /// Reads to the end of a stream: how the server has ended it, by a frame or by closing the connection.
    func end(of stream: Int) -> Frame? {
        func isEnd(_ frame: Frame) -> Bool {
            frame.stream == stream && (frame.endsStream || frame.kind == .reset) || frame.kind == .goAway
        }
        read { $0.contains(where: isEnd) }
        return frames.first(where: isEnd)
    }

    /// The message bytes that came on a stream.
    func body(of stream: Int) -> [UInt8] {
        frames.filter { $0.kind == .data && $0.stream == stream }.flatMap(\.payload)
    }
}

/// The header fields of a request, as they travel.
typealias Fields = [([UInt8], [UInt8])]

extension Fields {
    /// Those of a well-formed request for `Echo`, without some and with others at the end.
    static func request(
        _ path: String = MethodDescriptor.echo.path, without names: Set<String> = [], first: [(String, String)] = [],
        adding more: [(String, String)] = []
    ) -> Fields {
        let whole = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        return (first + whole.filter { !names.contains($0.0) } + more).map {
            (Swift.Array($0.utf8), Swift.Array($1.utf8))
        }
    }
}
