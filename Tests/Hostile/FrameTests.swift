import Testing

extension Hostile {
    /// Frames that HTTP/2 forbids.
    @Suite("Broken frames")
    struct BrokenFrames {
        private static let block = HeaderBlock.request("Echo")

        /// What no server may accept, each to be sent on a connection that has just begun (RFC 9113, section 6).
        static let faults: [(name: String, bytes: [UInt8])] = [
            ("a frame over 16 KiB", frame(type: 0, on: 1, Array(repeating: 0, count: 16_385))),
            ("a frame that claims 16 MiB", frame(type: 1, on: 1, [], claiming: 0xFF_FFFF)),
            ("DATA on stream 0", frame(.data, 0, on: 0, [1, 2, 3])),
            ("DATA on a stream that never was", frame(.data, 0, on: 5, [1, 2, 3])),
            ("HEADERS on stream 0", headers(on: 0, block)),
            ("HEADERS on an even stream", headers(on: 2, block)),
            ("HEADERS without a block", headers(on: 1, [])),
            (
                "HEADERS with more padding than frame",
                frame(.headers, Flag.padded | Flag.endHeaders, on: 1, [200, 0x83])
            ),
            ("HEADERS with half a priority", frame(.headers, Flag.priority | Flag.endHeaders, on: 1, [0, 0])),
            ("a field of the table that isn't there", headers(on: 1, [0xFF, 0x80, 0x01])),
            ("a table of 16 MiB", headers(on: 1, [0x3F, 0xE1, 0xFF, 0xFF, 0x07] + block)),
            ("half an integer", headers(on: 1, [0xFF])),
            ("an integer of ten bytes", headers(on: 1, [0x7F] + Array(repeating: 0xFF, count: 10) + [0x01])),
            ("Huffman's end of string", headers(on: 1, [0x00, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0x78])),
            ("CONTINUATION out of the blue", frame(.continuation, Flag.endHeaders, on: 1, block)),
            ("DATA amid a header block", frame(.headers, 0, on: 1, block) + frame(.data, 0, on: 1, [1])),
            (
                "CONTINUATION of another stream",
                frame(.headers, 0, on: 1, block) + frame(.continuation, Flag.endHeaders, on: 3, block)
            ),
            ("PUSH_PROMISE", frame(.pushPromise, Flag.endHeaders, on: 1, bytes(2) + block)),
            ("SETTINGS on a stream", frame(.settings, 0, on: 1)),
            ("SETTINGS of seven bytes", frame(.settings, 0, on: 0, Array(repeating: 0, count: 7))),
            ("an acknowledgement with settings", frame(.settings, Flag.acknowledgement, on: 0, [0, 1, 0, 0, 0, 0])),
            ("acknowledgements nobody waits for", repeated(frame(.settings, Flag.acknowledgement, on: 0), 3)),
            ("a window of four gigabytes", settings([(.initialWindowSize, 0xFFFF_FFFF)])),
            ("frames of one byte at most", settings([(.maxFrameSize, 1)])),
            ("push neither on nor off", settings([(.enablePush, 2)])),
            ("PING of seven bytes", frame(.ping, 0, on: 0, Array(repeating: 0, count: 7))),
            ("PING on a stream", frame(.ping, 0, on: 1, Array(repeating: 0, count: 8))),
            ("GOAWAY on a stream", frame(.goAway, 0, on: 1, bytes(0) + bytes(0))),
            ("GOAWAY of three bytes", frame(.goAway, 0, on: 0, [0, 0, 0])),
            ("RST_STREAM on stream 0", reset(0)),
            ("RST_STREAM on a stream that never was", reset(5)),
            ("RST_STREAM of three bytes", frame(.resetStream, 0, on: 1, [0, 0, 0])),
            ("WINDOW_UPDATE of zero", windowUpdate(on: 0, 0)),
            ("WINDOW_UPDATE that overflows", windowUpdate(on: 0, 0x7FFF_FFFF)),
            ("WINDOW_UPDATE on a stream that never was", windowUpdate(on: 5, 1)),
            ("WINDOW_UPDATE of three bytes", frame(.windowUpdate, 0, on: 0, [0, 0, 1])),
            (
                "DATA with more padding than frame",
                headers(on: 1, block) + frame(.data, Flag.padded, on: 1, [200, 1, 2])
            ),
            (
                "more DATA than the window",
                headers(on: 1, HeaderBlock.request("Ignore"))
                    + repeated(frame(.data, 0, on: 1, Array(repeating: 0, count: 16_384)), 300)
            ),
            ("HTTP/1.1 after the preface", Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)),
        ]

        @Test("end the connection, or at least the stream, one after the other as fast as can be")
        func allFaults() async throws {
            var unanswered: [String] = []
            let faults = Self.faults
            let result = try await withstand(Attack(name: "\(faults.count) kinds of broken frames")) { attacker in
                var number = 0
                try attacker.repeatedly { connection in
                    // A ping at the end: by its answer a server says that it has gone on.
                    connection.send(preface() + faults[number % faults.count].bytes)
                    connection.send(frame(.ping, 0, on: 0, Array(repeating: 7, count: 8)))
                    connection.read { $0.goAway != nil || $0.count(.ping) > 0 }
                    number += 1
                }
            }
            #expect(result.connections > faults.count)
            let folder = try await VictimFolder()
            for fault in faults {
                let connection = try RawConnection(folder.victim.path)
                connection.send(preface() + fault.bytes)
                connection.send(frame(.ping, 0, on: 0, Array(repeating: 7, count: 8)))
                connection.read { $0.goAway != nil || $0.count(.ping) > 0 }
                if connection.received.goAway == nil, connection.received.resets.isEmpty, !connection.isClosed {
                    unanswered.append(fault.name)
                }
            }
            try await folder.remove()
            #expect(unanswered == [])
        }

        @Test("no HTTP/2 at all")
        func otherProtocols() async throws {
            let result = try await withstand(Attack(name: "no HTTP/2")) { attacker in
                var number = 0
                try attacker.repeatedly { connection in
                    let words: [[UInt8]] = [
                        Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [0x16, 0x03, 0x01, 0x02, 0x00, 0x01],
                        Array(repeating: 0, count: 100_000), Array(repeating: 0xFF, count: 100_000),
                        Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8),
                    ]
                    connection.send(words[number % words.count] + words[1] + words[0])
                    number += 1
                    connection.readToEnd()
                }
            }
            #expect(result.closed == result.connections)
        }
    }
}
