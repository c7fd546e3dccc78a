/// The same bytes again and again.
func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(bytes.count * count)
    for _ in 0..<count { all += bytes }
    return all
}

/// The first streams that a client opens.
func streams(_ count: Int) -> [UInt32] {
    (0..<UInt32(count)).map { $0 * 2 + 1 }
}

/// The types of HTTP/2's frames (RFC 9113, section 6).
enum FrameType: UInt8 {
    case data, headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
}

/// One frame as bytes, right or wrong: nothing here is checked.
func frame(
    _ type: FrameType, _ flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: [UInt8] = []
) -> [UInt8] {
    frame(type: type.rawValue, flags, on: stream, payload)
}

/// As above, of any type, and with any length that it claims to have.
func frame(
    type: UInt8, _ flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: [UInt8] = [], claiming length: Int? = nil
) -> [UInt8] {
    let length = length ?? payload.count
    return [UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, flags]
        + bytes(stream) + payload
}

/// Four bytes, the high one first.
func bytes(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

enum Flag {
    static let endStream: UInt8 = 0x1
    static let acknowledgement: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let priority: UInt8 = 0x20
}

/// The identifiers of settings (RFC 9113, 6.5.2).
enum Setting: UInt16 {
    case headerTableSize = 1
    case enablePush
    case maxConcurrentStreams
    case initialWindowSize
    case maxFrameSize
    case maxHeaderListSize
}

func settings(_ entries: [(Setting, UInt32)]) -> [UInt8] {
    frame(.settings, entries.flatMap { setting, value in [0, UInt8(setting.rawValue)] + bytes(value) })
}

private func frame(_ type: FrameType, _ payload: [UInt8]) -> [UInt8] { frame(type, 0, on: 0, payload) }

func windowUpdate(on stream: UInt32, _ increment: UInt32) -> [UInt8] {
    frame(.windowUpdate, 0, on: stream, bytes(increment))
}

func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] {
    frame(.resetStream, 0, on: stream, bytes(code))
}

/// HTTP/2's first bytes, and settings.
func preface(_ entries: [(Setting, UInt32)] = []) -> [UInt8] {
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings(entries)
}

// MARK: - Headers

/// A header block in HPACK (RFC 7541), without Huffman's code and without touching the dynamic table.
enum HeaderBlock {
    /// One field as two literals.
    static func literal(_ name: [UInt8], _ value: [UInt8]) -> [UInt8] {
        [0x00] + integer(name.count, prefix: 7) + name + integer(value.count, prefix: 7) + value
    }

    static func literal(_ name: String, _ value: String) -> [UInt8] {
        literal(Array(name.utf8), Array(value.utf8))
    }

    /// One field that goes into the dynamic table, where it is entry 62.
    static func remembered(_ name: String, _ value: [UInt8]) -> [UInt8] {
        let name = Array(name.utf8)
        return [0x40] + integer(name.count, prefix: 7) + name + integer(value.count, prefix: 7) + value
    }

    static func integer(_ value: Int, prefix: Int, pattern: UInt8 = 0) -> [UInt8] {
        let limit = 1 << prefix - 1
        guard value >= limit else { return [pattern | UInt8(value)] }
        var rest = value - limit
        var encoded = [pattern | UInt8(limit)]
        while rest >= 128 {
            encoded.append(UInt8(rest & 0x7F | 0x80))
            rest >>= 7
        }
        return encoded + [UInt8(rest)]
    }

    /// The headers of a well-formed request for a method of the victim.
    static func request(_ method: String, extra: [UInt8] = []) -> [UInt8] {
        // ":method POST", ":scheme http" by their places in the static table; ":path" and ":authority" by name.
        let path = Array("/hostile.Victim/\(method)".utf8)
        return [0x83, 0x86, 0x04] + integer(path.count, prefix: 7) + path + [0x01, 1, 0x78]
            + literal("content-type", "application/grpc") + literal("te", "trailers") + extra
    }
}

/// A HEADERS frame that opens a stream.
func headers(on stream: UInt32, _ block: [UInt8], end: Bool = false) -> [UInt8] {
    frame(.headers, Flag.endHeaders | (end ? Flag.endStream : 0), on: stream, block)
}

// MARK: - Messages

/// A message as it goes into DATA frames: a flag, its length, and its bytes.
func framed(_ message: [UInt8], claiming length: UInt32? = nil, compressed: Bool = false) -> [UInt8] {
    [compressed ? 1 : 0] + bytes(length ?? UInt32(message.count)) + message
}

/// The one message most methods of the victim take: a text.
func text(_ text: String) -> [UInt8] {
    let text = Array(text.utf8)
    return framed([0x0A] + varint(text.count) + text)
}

/// A number as protobuf writes it.
func varint(_ value: Int) -> [UInt8] {
    var rest = value
    var encoded: [UInt8] = []
    while rest >= 128 {
        encoded.append(UInt8(rest & 0x7F | 0x80))
        rest >>= 7
    }
    return encoded + [UInt8(rest)]
}

/// A whole call: headers, one DATA frame, the end.
func call(_ method: String, on stream: UInt32, _ body: [UInt8], extra: [UInt8] = []) -> [UInt8] {
    headers(on: stream, HeaderBlock.request(method, extra: extra))
        + frame(.data, Flag.endStream, on: stream, body)
}
