import CZlib
import Testing

extension Hostile {
    /// Messages that are more than they seem.
    @Suite("Messages")
    struct Messages {
        /// A field of bytes, as protobuf writes it.
        private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
            varint(number << 3 | 2) + varint(content.count) + content
        }

        /// The call in DATA frames of a size that HTTP/2 takes.
        private static func request(_ method: String, on stream: UInt32, _ body: [UInt8]) -> [UInt8] {
            var bytes = headers(on: stream, HeaderBlock.request(method))
            var start = 0
            while start < body.count {
                let end = min(start + 16_384, body.count)
                bytes += frame(.data, end == body.count ? Flag.endStream : 0, on: stream, Array(body[start..<end]))
                start = end
            }
            return bytes
        }

        private static func nested(_ depth: Int) -> [UInt8] {
            var message: [UInt8] = []
            for _ in 0..<depth { message = field(1, message) }
            return message
        }

        /// Messages for a method that takes a list of violations, each of two strings.
        static let messages: [(name: String, bytes: [UInt8])] = [
            ("32,000 empty submessages", repeated(field(1, []), 32_000)),
            ("16,000 submessages with empty strings", repeated(field(1, field(1, [])), 16_000)),
            ("32,000 unknown numbers", repeated(varint(15 << 3) + [1], 32_000)),
            ("unknown fields of 60 KB", field(15, Array(repeating: 0x41, count: 60_000))),
            ("packed numbers where there are none", field(14, Array(repeating: 0x01, count: 60_000))),
            ("10,000 times nested", nested(10_000)),
            ("30,000 groups opened", repeated(varint(9 << 3 | 3), 30_000)),
            ("a number of eleven bytes", varint(15 << 3) + Array(repeating: 0xFF, count: 10) + [1]),
            ("a length beyond the end", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
            ("field number zero", [0x02, 0x00]),
            ("a string that is no UTF-8", field(1, field(1, [0xFF, 0xFE]))),
            ("a string with a NUL", field(1, field(1, [0x61, 0x00, 0x62]))),
        ]

        @Test("many, nested, repeated, unknown: none costs much more than its bytes")
        func amplified() async throws {
            let rounds = Rounds(of: Self.messages.count) { stream in
                Self.request("Examine", on: stream, framed(Self.messages[Int(stream / 2)].bytes))
            }
            let result = try await withstand(
                Attack(name: "12 kinds of amplified messages", memoryBound: 48)
            ) { attacker in
                try attacker.repeatedly { connection in
                    attacker.open(connection)
                    var rounds = rounds
                    var answered = 0
                    while !attacker.isOver, connection.send(rounds.next()) {
                        attacker.counts(rounds.count)
                        answered += rounds.count
                        connection.read { $0.count(.headers) >= answered }
                    }
                }
            }
            #expect(result.headers > 0)
        }

        @Test("lengths that lie: four gigabytes, and bodies without end")
        func lyingLengths() async throws {
            let result = try await withstand(
                Attack(name: "messages that claim 4 GiB", memoryBound: 32),
                flood: Rounds { call("Echo", on: $0, framed([1, 2, 3], claiming: 0xFFFF_FFFF)) })
            #expect(result.headers > 0)
            let claimed = framed([1, 2, 3], claiming: 1_000_000)
            let second = try await withstand(Attack(name: "1,000 messages that claim 1 MB", memoryBound: 80)) {
                attacker in
                try attacker.once { connection in
                    attacker.open(connection)
                    for stream in streams(1000) {
                        connection.send(
                            headers(on: stream, HeaderBlock.request("Echo")) + frame(.data, 0, on: stream, claimed))
                        attacker.counts(1)
                    }
                    attacker.rest(connection)
                }
            }
            #expect(second.closed == 0)
        }

        @Test("a thousand requests of a megabyte that stop before the end")
        func heldBodies() async throws {
            let result = try await withstand(Attack(name: "1,000 bodies of 250 KB that stop", memoryBound: 48)) {
                attacker in
                try attacker.once { connection in
                    attacker.open(connection)
                    let part = Array(repeating: UInt8(0x41), count: 16_000)
                    for stream in streams(1000) where !attacker.isOver {
                        connection.send(
                            headers(on: stream, HeaderBlock.request("Echo"))
                                + frame(.data, 0, on: stream, framed(part, claiming: 1_000_000)))
                        for _ in 0..<14 { connection.send(frame(.data, 0, on: stream, part)) }
                        attacker.counts(1)
                        connection.drain()
                    }
                }
            }
            // Those that found the connection's room full were refused.
            #expect(result.headers > 0)
        }

        @Test("DATA of one byte each")
        func tinyFrames() async throws {
            let message = text(String(repeating: "a", count: 1000))
            let body = message.dropLast().flatMap { frame(.data, 0, on: 1, [$0]) }
            let result = try await withstand(Attack(name: "bodies in frames of one byte")) { attacker in
                try attacker.repeatedly { connection in
                    connection.send(
                        preface() + headers(on: 1, HeaderBlock.request("Echo")) + body
                            + frame(.data, Flag.endStream, on: 1, Array(message.suffix(1))))
                    connection.read { $0.count(.headers) == 2 }
                }
            }
            #expect(result.headers > 0)
        }

        @Test("marked as compressed when nothing was agreed on")
        func unexpectedCompression() async throws {
            let result = try await withstand(
                Attack(name: "compressed without an encoding", memoryBound: 32),
                flood: Rounds { call("Echo", on: $0, framed([1, 2, 3], compressed: true)) })
            #expect(result.headers > 0)
        }

        /// So many zeros in gzip, which makes a thousandth of them.
        private static func packedZeros(_ count: Int) -> [UInt8] {
            var stream = z_stream()
            guard gzip_deflate_init(&stream, 9) == Z_OK else { return [] }
            defer { deflateEnd(&stream) }
            var zeros = [UInt8](repeating: 0, count: count)
            var packed = [UInt8](repeating: 0, count: count / 500 + 1000)
            let length = zeros.withUnsafeMutableBufferPointer { input in
                packed.withUnsafeMutableBufferPointer { output in
                    stream.next_in = input.baseAddress
                    stream.avail_in = UInt32(input.count)
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    return deflate(&stream, Z_FINISH) == Z_STREAM_END ? output.count - Int(stream.avail_out) : 0
                }
            }
            return Array(packed[..<length])
        }

        @Test("gzip bombs, in single requests and in streams of them")
        func gzipBombs() async throws {
            let bomb = framed(Self.packedZeros(16 * 1_048_576), compressed: true)
            try #require(bomb.count > 1000 && bomb.count < 20_000)
            let encoding = HeaderBlock.literal("grpc-encoding", "gzip")
            for method in ["Echo", "Gather"] {
                let rounds = Rounds(of: 10) { stream in
                    headers(on: stream, HeaderBlock.request(method, extra: encoding))
                        + frame(.data, Flag.endStream, on: stream, bomb)
                }
                let result = try await withstand(
                    Attack(name: "gzip bombs of 16 MB, \(method)", memoryBound: 32)
                ) { attacker in
                    try attacker.repeatedly { connection in
                        attacker.open(connection)
                        var rounds = rounds
                        var answered = 0
                        while !attacker.isOver, connection.send(rounds.next()) {
                            attacker.counts(rounds.count)
                            answered += rounds.count
                            connection.read { $0.count(.headers) >= answered }
                        }
                    }
                }
                // Refusals alone: an answer with a message has DATA.
                #expect(result.headers >= rounds.count)
                #expect(result.data == 0)
            }
        }
    }
}
