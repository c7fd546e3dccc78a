@testable import RPC

/// One HTTP/2 frame as it came (RFC 9113, section 4.1).
struct Frame: Sendable {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
    }

    static let endOfStream: UInt8 = 0x1
    static let acknowledgement: UInt8 = 0x1
    static let endOfHeaders: UInt8 = 0x4

    var type: UInt8
    var flags: UInt8 = 0
    var stream: Int = 0
    var payload: [UInt8] = []

    var kind: Kind? { Kind(rawValue: type) }
    var endsStream: Bool { (kind == .data || kind == .headers) && flags & Frame.endOfStream != 0 }

    /// The code of RST_STREAM, or of GOAWAY.
    var errorCode: UInt32? {
        let code = kind == .goAway ? payload.dropFirst(4).prefix(4) : kind == .reset ? payload.prefix(4) : []
        return code.count == 4 ? code.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    /// Takes the first frame off the bytes; nil when it has not come whole.
    static func take(from bytes: inout [UInt8]) -> Frame? {
        guard bytes.count >= 9 else { return nil }
        let length = bytes.prefix(3).reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= 9 + length else { return nil }
        defer { bytes.removeFirst(9 + length) }
        return Frame(
            type: bytes[3], flags: bytes[4], stream: bytes[5..<9].reduce(0) { $0 << 8 | Int($1) },
            payload: Array(bytes[9..<9 + length]))
    }

    var bytes: [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16 & 0xff), UInt8(length >> 8 & 0xff), UInt8(length & 0xff), type, flags]
            + withUnsafeBytes(of: UInt32(stream).bigEndian) { Array($0) } + payload
    }
}

extension Frame {
    static func make(_ kind: Kind, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> Frame {
        Frame(type: kind.rawValue, flags: flags, stream: stream, payload: payload)
    }

    static func settings(_ values: [(UInt16, UInt32)] = []) -> Frame {
        var payload: [UInt8] = []
        for (name, value) in values {
            payload += withUnsafeBytes(of: name.bigEndian) { Array($0) }
            payload += withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }
        return make(.settings, payload)
    }

    static let settingsAcknowledged = make(.settings, flags: acknowledgement)

    static func ping(flags: UInt8 = 0) -> Frame { make(.ping, flags: flags, [0, 1, 2, 3, 4, 5, 6, 7]) }

    /// A header block in HPACK's plainest form: literals that are not indexed (RFC 7541, 6.2.2).
    static func headers(_ stream: Int, _ pairs: [(String, String)], end: Bool = false) -> Frame {
        headers(stream, pairs.map { (Array($0.utf8), Array($1.utf8)) }, end: end)
    }

    /// As above, with any bytes.
    static func headers(_ stream: Int, _ pairs: [([UInt8], [UInt8])], end: Bool = false) -> Frame {
        var block: [UInt8] = []
        for (name, value) in pairs { block += [0] + literal(name) + literal(value) }
        return make(.headers, flags: endOfHeaders | (end ? endOfStream : 0), stream: stream, block)
    }

    /// HPACK's string literal: its length with a prefix of seven bits, and the octets (RFC 7541, 5.1 and 5.2).
    private static func literal(_ text: [UInt8]) -> [UInt8] {
        var left = text.count
        if left < 127 { return [UInt8(left)] + text }
        var bytes: [UInt8] = [127]
        left -= 127
        while left >= 128 {
            bytes.append(UInt8(left % 128 + 128))
            left /= 128
        }
        return bytes + [UInt8(left)] + text
    }

    static func responseHeaders(_ stream: Int, _ more: [(String, String)] = []) -> Frame {
        headers(stream, [(":status", "200"), ("content-type", "application/grpc")] + more)
    }

    static func trailers(_ stream: Int, _ status: Int = 0, _ more: [(String, String)] = []) -> Frame {
        headers(stream, [("grpc-status", String(status))] + more, end: true)
    }

    /// A response that is a status alone.
    static func trailersOnly(_ stream: Int, _ status: Int, _ more: [(String, String)] = []) -> Frame {
        headers(
            stream, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", String(status))] + more,
            end: true)
    }

    static func data(_ stream: Int, _ payload: [UInt8], end: Bool = false) -> Frame {
        make(.data, flags: end ? endOfStream : 0, stream: stream, payload)
    }

    static func reset(_ stream: Int, _ code: UInt32) -> Frame {
        make(.reset, stream: stream, withUnsafeBytes(of: code.bigEndian) { Array($0) })
    }

    static func goAway(last: Int, code: UInt32 = 0, _ debugData: String = "") -> Frame {
        make(
            .goAway,
            withUnsafeBytes(of: UInt32(last).bigEndian) { Array($0) }
                + withUnsafeBytes(of: code.bigEndian) { Array($0) } + debugData.utf8)
    }

    static func windowUpdate(_ stream: Int, _ count: Int) -> Frame {
        make(.windowUpdate, stream: stream, withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) })
    }

    /// What a server says when all is well: one message, then the status OK.
    static func answer(_ stream: Int, _ text: String) -> [Frame] {
        [responseHeaders(stream), data(stream, framed(text)), trailers(stream)]
    }
}
