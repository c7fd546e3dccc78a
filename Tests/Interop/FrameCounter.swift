import NIOCore

/// Reads the frames of one direction of an HTTP/2 connection (RFC 9113, 4.1), and the gRPC messages in their data.
struct FrameCounter {
    struct Frame: Sendable {
        var type: UInt8
        var flags: UInt8
        /// The compression flag of each message that begins in it.
        var messages: [UInt8] = []
    }

    /// Bytes that a client sends before its first frame (RFC 9113, 3.4).
    static let preface = 24
    static let data: UInt8 = 0
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let ack: UInt8 = 0x1
    private static let padded: UInt8 = 0x8

    /// Where the messages of a stream are: how much of the prefix has come, and how much of the message has not.
    private struct Position {
        var prefix: [UInt8] = []
        var missing = 0
    }

    private var bytes = ByteBuffer()
    /// Bytes before the first frame.
    private var skipping: Int
    private var positions: [Int: Position] = [:]

    init(skipping: Int = 0) {
        self.skipping = skipping
    }

    /// Takes what has come, and returns the frames that are complete.
    mutating func take(_ more: ByteBuffer) -> [Frame] {
        bytes.writeImmutableBuffer(more)
        let skipped = min(skipping, bytes.readableBytes)
        bytes.moveReaderIndex(forwardBy: skipped)
        skipping -= skipped
        var frames: [Frame] = []
        while let header = bytes.getBytes(at: bytes.readerIndex, length: 9) {
            let length = header[0..<3].reduce(0) { $0 << 8 | Int($1) }
            guard bytes.readableBytes >= 9 + length else { break }
            bytes.moveReaderIndex(forwardBy: 9)
            let payload = bytes.readBytes(length: length) ?? []
            var frame = Frame(type: header[3], flags: header[4])
            if frame.type == FrameCounter.data {
                let stream = header[5..<9].reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
                frame.messages = messages(FrameCounter.withoutPadding(payload, frame.flags), stream)
            }
            frames.append(frame)
        }
        bytes.discardReadBytes()
        return frames
    }

    private static func withoutPadding(_ payload: [UInt8], _ flags: UInt8) -> ArraySlice<UInt8> {
        guard flags & padded != 0, let count = payload.first else { return payload[...] }
        return payload.dropFirst().dropLast(Int(count))
    }

    private mutating func messages(_ data: ArraySlice<UInt8>, _ stream: Int) -> [UInt8] {
        var flags: [UInt8] = []
        var position = positions[stream] ?? Position()
        var data = data
        while !data.isEmpty {
            let passed = min(position.missing, data.count)
            data = data.dropFirst(passed)
            position.missing -= passed
            guard position.missing == 0 else { break }
            let taken = min(5 - position.prefix.count, data.count)
            position.prefix += data.prefix(taken)
            data = data.dropFirst(taken)
            guard position.prefix.count == 5 else { break }
            flags.append(position.prefix[0])
            position.missing = position.prefix[1...].reduce(0) { $0 << 8 | Int($1) }
            position.prefix = []
        }
        positions[stream] = position
        return flags
    }
}
