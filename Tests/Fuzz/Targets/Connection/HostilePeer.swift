/// The other end of a connection: it says what the input decides, in frames that are mostly right.
struct HostilePeer {
    enum Side {
        case client
        case server
    }

    /// Bytes that one input may send, however short it is: what is amplified here is for the other side to bear.
    private static let maximumSent = 1 << 20
    /// How long the payload of one DATA frame is made at most.
    private static let maximumData = 16_384

    let side: Side
    /// The paths that a client calls.
    let paths: [String]
    private(set) var sent = 0
    /// Streams that a client has opened so far, or a server has been asked for.
    var streams: [UInt32] = []
    private var nextStream: UInt32 = 1

    init(side: Side, paths: [String]) {
        self.side = side
        self.paths = paths
    }

    /// The bytes of the next thing that is said.
    mutating func next(_ input: inout FuzzInput) -> [UInt8] {
        guard sent < HostilePeer.maximumSent else { return [] }
        let bytes = something(&input)
        sent += bytes.count
        return bytes
    }

    private mutating func something(_ input: inout FuzzInput) -> [UInt8] {
        switch input.choice(16) {
        case 0, 1, 2: side == .client ? request(&input) : response(&input)
        case 3, 4, 5: data(&input)
        case 6: headers(&input)
        case 7: settings(&input)
        case 8: windowUpdate(&input)
        case 9: reset(&input)
        case 10: ping(&input)
        case 11: goAway(&input)
        case 12: continuation(&input)
        case 13: priority(&input)
        case 14: pushPromise(&input)
        default: anything(&input)
        }
    }

    // MARK: Streams

    private mutating func newStream() -> UInt32 {
        defer { nextStream += 2 }
        streams.append(nextStream)
        return nextStream
    }

    /// One of the streams there are, mostly; or one there isn't.
    private mutating func stream(_ input: inout FuzzInput) -> UInt32 {
        let number = input.byte()
        guard number < 0xF0, !streams.isEmpty else { return UInt32(number & 0x0F) }
        return streams[streams.count - 1 - Int(number) % streams.count]
    }

    /// A request with everything that belongs to one, and what the input adds.
    private mutating func request(_ input: inout FuzzInput) -> [UInt8] {
        let shape = input.byte()
        let path = input.pick(paths)
        var block =
            FrameWriter.field(":method", "POST") + FrameWriter.field(":scheme", "http")
            + FrameWriter.field(":path", path) + FrameWriter.field("content-type", "application/grpc")
        if shape & 0x10 != 0 { block += FrameWriter.field("grpc-timeout", input.pick(["1n", "0m", "1u", "9H", "x"])) }
        if shape & 0x20 != 0 { block += FrameWriter.field("grpc-encoding", input.pick(["gzip", "identity", "br"])) }
        if shape & 0x40 != 0 { block += fields(&input) }
        return block.isEmpty ? [] : open(newStream(), block, shape, &input)
    }

    /// The headers of a response, or the trailers.
    private mutating func response(_ input: inout FuzzInput) -> [UInt8] {
        let shape = input.byte()
        let stream = stream(&input)
        var block: [UInt8] = []
        if shape & 0x10 == 0 {
            block += FrameWriter.field(":status", input.pick(["200", "100", "404", "503"]))
            block += FrameWriter.field("content-type", "application/grpc")
        }
        if shape & 0x20 != 0 { block += FrameWriter.field("grpc-status", input.pick(["0", "8", "14", "99", "x"])) }
        if shape & 0x40 != 0 { block += fields(&input) }
        return open(stream, block, shape, &input)
    }

    /// The block in a HEADERS frame; with a message behind it when the shape says so.
    private mutating func open(
        _ stream: UInt32, _ block: [UInt8], _ shape: UInt8, _ input: inout FuzzInput
    ) -> [UInt8] {
        let endsStream = shape & 0x1 != 0 ? FrameWriter.Flag.endStream : 0
        guard shape & 0x2 != 0, endsStream == 0 else {
            let endsHeaders = shape & 0x4 == 0 ? FrameWriter.Flag.endHeaders : 0
            return FrameWriter.frame(.headers, flags: endsStream | endsHeaders, stream: stream, block)
        }
        let message = FrameWriter.message(input.counted())
        let flags = shape & 0x8 == 0 ? FrameWriter.Flag.endStream : 0
        return FrameWriter.frame(.headers, flags: FrameWriter.Flag.endHeaders, stream: stream, block)
            + FrameWriter.frame(.data, flags: flags, stream: stream, message)
    }

    private mutating func data(_ input: inout FuzzInput) -> [UInt8] {
        let shape = input.byte()
        let stream = stream(&input)
        var payload: [UInt8]
        switch shape >> 4 & 0x3 {
        case 0: payload = FrameWriter.message(input.counted(), flag: shape & 0x4 != 0 ? 1 : 0)
        case 1: payload = input.counted()
        case 2: payload = FrameWriter.message(input.counted(), length: input.number32())
        // Much from little: a few bytes of input for a frame of thousands.
        default: payload = [UInt8](repeating: input.byte(), count: input.number16() % HostilePeer.maximumData)
        }
        var flags = shape & FrameWriter.Flag.endStream
        if shape & FrameWriter.Flag.padded != 0 {
            flags |= FrameWriter.Flag.padded
            let padding = input.byte()
            payload = [padding] + payload + [UInt8](repeating: 0, count: Int(padding & 0x7F))
        }
        return FrameWriter.frame(.data, flags: flags, stream: stream, payload)
    }

    // MARK: Header blocks

    private static let names = [
        "x-test", "x-test-bin", "grpc-message", "grpc-status-details-bin", "grpc-status", "grpc-encoding", "te",
        "grpc-accept-encoding", "content-length", "user-agent", "cookie", ":path", ":authority", ":status",
        "connection", "Upper", "",
    ]

    /// Pairs and whatever else a header block may hold.
    private func fields(_ input: inout FuzzInput) -> [UInt8] {
        var block: [UInt8] = []
        for _ in 0..<input.choice(8) {
            switch input.choice(8) {
            case 0: block += FrameWriter.integer(UInt64(input.byte()), prefix: 7, mark: 0x80)
            case 1: block += FrameWriter.integer(UInt64(input.number16()), prefix: 5, mark: 0x20)
            case 2: block += input.counted()
            case 3:
                let long = [UInt8](repeating: 0x61, count: input.number16() % 8192)
                block += FrameWriter.field("x-long", long, input.pick(HeaderRepresentation.allCases))
            default:
                block += FrameWriter.field(
                    input.pick(HostilePeer.names), input.counted(), input.pick(HeaderRepresentation.allCases))
            }
        }
        return block
    }

    /// A header block of any kind, on any stream.
    private mutating func headers(_ input: inout FuzzInput) -> [UInt8] {
        let flags = input.byte()
        let stream = input.flag() ? newStream() : stream(&input)
        var payload = fields(&input)
        if flags & FrameWriter.Flag.priority != 0 { payload = FrameWriter.big(input.number32()) + [1] + payload }
        if flags & FrameWriter.Flag.padded != 0 { payload = [input.byte() & 0x1F] + payload }
        return FrameWriter.frame(FrameWriter.Kind.headers.rawValue, flags: flags, stream: stream, payload)
    }

    private mutating func continuation(_ input: inout FuzzInput) -> [UInt8] {
        let flags = input.flag() ? FrameWriter.Flag.endHeaders : 0
        let stream = stream(&input)
        let block = fields(&input)
        // Many of them are one of the floods.
        let times = 1 + input.choice(12)
        let frame = FrameWriter.frame(.continuation, stream: stream, block)
        return Array(repeating: frame, count: times - 1).flatMap { $0 }
            + FrameWriter.frame(.continuation, flags: flags, stream: stream, block)
    }

    private mutating func pushPromise(_ input: inout FuzzInput) -> [UInt8] {
        let stream = stream(&input)
        let payload = FrameWriter.big(input.number32()) + fields(&input)
        return FrameWriter.frame(.pushPromise, flags: FrameWriter.Flag.endHeaders, stream: stream, payload)
    }
}

// MARK: - The connection

extension HostilePeer {
    private func settings(_ input: inout FuzzInput) -> [UInt8] {
        if input.flag() { return FrameWriter.frame(.settings, flags: FrameWriter.Flag.acknowledged, []) }
        var payload: [UInt8] = []
        for _ in 0..<input.choice(8) {
            payload += FrameWriter.big(UInt16(input.choice(10)))
            payload += FrameWriter.big(
                input.pick([0, 1, 100, 16_384, 65_535, 1 << 20, 0x7FFF_FFFF, 0xFFFF_FFFF, input.number32()]))
        }
        return FrameWriter.frame(.settings, payload)
    }

    private mutating func windowUpdate(_ input: inout FuzzInput) -> [UInt8] {
        let stream = input.flag() ? 0 : stream(&input)
        let increment = input.pick([1, 1000, 65_535, 1 << 20, 0x7FFF_FFFF, 0, input.number32()])
        return FrameWriter.frame(.windowUpdate, stream: stream, FrameWriter.big(increment))
    }

    private mutating func reset(_ input: inout FuzzInput) -> [UInt8] {
        let stream = stream(&input)
        return FrameWriter.frame(.reset, stream: stream, FrameWriter.big(UInt32(input.choice(16))))
    }

    private func ping(_ input: inout FuzzInput) -> [UInt8] {
        let flags = input.flag() ? FrameWriter.Flag.acknowledged : 0
        let frame = FrameWriter.frame(.ping, flags: flags, [0, 1, 2, 3, 4, 5, 6, 7])
        return Array(repeating: frame, count: 1 + input.choice(256)).flatMap { $0 }
    }

    private mutating func goAway(_ input: inout FuzzInput) -> [UInt8] {
        let payload = FrameWriter.big(stream(&input)) + FrameWriter.big(UInt32(input.choice(16))) + input.counted()
        return FrameWriter.frame(.goAway, payload)
    }

    private mutating func priority(_ input: inout FuzzInput) -> [UInt8] {
        let stream = stream(&input)
        return FrameWriter.frame(.priority, stream: stream, FrameWriter.big(input.number32()) + [input.byte()])
    }

    /// A frame of any type with any flags, and perhaps another length than it says.
    private mutating func anything(_ input: inout FuzzInput) -> [UInt8] {
        let kind = input.byte()
        let flags = input.byte()
        let stream = stream(&input)
        let length = input.flag() ? input.number16() : nil
        return FrameWriter.frame(kind, flags: flags, stream: stream, input.counted(), length: length)
    }
}
