import Testing

extension Hostile {
    /// Header blocks that are larger than they look, or never end.
    @Suite("Headers")
    struct Headers {
        private func attack(
            _ attack: Attack, sourceLocation: SourceLocation = #_sourceLocation,
            opening: [UInt8] = [], _ bytes: [UInt8]
        ) async throws -> AttackResult {
            try await withstand(attack, sourceLocation: sourceLocation) { attacker in
                try attacker.repeatedly { connection in
                    connection.send(preface() + opening)
                    attacker.flood(connection, bytes, counting: 1)
                }
            }
        }

        /// The beginning of a header block that CONTINUATION frames go on with.
        private func open(_ stream: UInt32, _ block: [UInt8]) -> [UInt8] {
            frame(.headers, Flag.endStream, on: stream, block)
        }

        @Test("CONTINUATION without end: empty, small and large (CVE-2024-28182)")
        func continuations() async throws {
            let field = HeaderBlock.literal("x-a", "y")
            let sizes: [(String, [UInt8])] = [
                ("empty", []), ("small", field), ("large", repeated(HeaderBlock.literal("x-a", "yyyyyyyy"), 1000)),
            ]
            for (size, payload) in sizes {
                let goesOn = repeated(frame(.continuation, 0, on: 1, payload), payload.count > 1000 ? 10 : 1000)
                let result = try await attack(
                    Attack(name: "CONTINUATION flood, \(size)"), opening: open(1, HeaderBlock.request("Echo")), goesOn)
                #expect(result.closed >= max(1, result.connections - 1))
            }
        }

        @Test("an entry of the table named thousands of times")
        func tableBomb() async throws {
            let large = HeaderBlock.remembered("x-a", Array(repeating: 0x61, count: 3900))
            let block = HeaderBlock.request("Echo", extra: large) + Array(repeating: 0xBE, count: 12_000)
            let result = try await attack(Attack(name: "HPACK table bomb"), headers(on: 1, block, end: true))
            #expect(result.closed >= max(1, result.connections - 1))
        }

        @Test("a table bomb below the limit at which the connection ends, again and again")
        func smallTableBomb() async throws {
            let large = HeaderBlock.remembered("x-a", Array(repeating: 0x61, count: 3900))
            let block = HeaderBlock.request("Echo", extra: large) + Array(repeating: 0xBE, count: 50)
            let result = try await withstand(
                Attack(name: "HPACK table bomb, 200 KB a request"),
                flood: Rounds { headers(on: $0, block, end: true) })
            // Each is refused, RESOURCE_EXHAUSTED.
            #expect(result.headers > 0)
        }

        @Test("one literal of 100 KB, in as many frames as that takes")
        func hugeLiteral() async throws {
            let block = HeaderBlock.request(
                "Echo", extra: HeaderBlock.literal("x-a", String(repeating: "a", count: 100_000)))
            var frames = frame(.headers, Flag.endStream, on: 1, Array(block[..<16_384]))
            for start in stride(from: 16_384, to: block.count, by: 16_384) {
                let end = min(start + 16_384, block.count)
                let flags = end == block.count ? Flag.endHeaders : 0
                frames += frame(.continuation, flags, on: 1, Array(block[start..<end]))
            }
            let result = try await attack(Attack(name: "header of 100 KB"), frames)
            #expect(result.closed + result.headers > 0)
        }

        @Test("a literal that says it is two gigabytes long")
        func lyingLiteral() async throws {
            let block = HeaderBlock.request("Echo") + [0x00, 1, 0x78] + HeaderBlock.integer(1 << 31, prefix: 7)
            let result = try await attack(Attack(name: "header that claims 2 GB"), headers(on: 1, block, end: true))
            #expect(result.closed >= max(1, result.connections - 1))
        }

        @Test("five hundred headers, and five hundred cookies")
        func manyHeaders() async throws {
            let pairs = [
                ("headers", HeaderBlock.literal("x-a", "")), ("cookies", HeaderBlock.literal("cookie", "a")),
            ]
            for (name, pair) in pairs {
                let block = HeaderBlock.request("Echo", extra: repeated(pair, 500))
                let result = try await withstand(
                    Attack(name: "500 \(name) a request"), flood: Rounds { headers(on: $0, block, end: true) })
                #expect(result.headers > 0)
            }
        }

        @Test("Huffman's code at its longest, which expands by eight fifths")
        func huffman() async throws {
            // "0" is five bits: 0b00000. Ten thousand bytes of zero are sixteen thousand characters.
            let packed: [UInt8] = Array(repeating: 0x00, count: 10_000)
            let field =
                [0x00, 3] + Array("x-h".utf8) + HeaderBlock.integer(packed.count, prefix: 7, pattern: 0x80) + packed
            let block = HeaderBlock.request("Echo", extra: field)
            let result = try await withstand(
                Attack(name: "Huffman expansion"), flood: Rounds { headers(on: $0, block, end: true) })
            #expect(result.headers > 0)
        }

        @Test("a thousand open streams, each with as many headers as are allowed")
        func heldMetadata() async throws {
            let block = HeaderBlock.request(
                "Hold", extra: HeaderBlock.literal("x-a", String(repeating: "a", count: 15_000)))
            let result = try await withstand(Attack(name: "1,000 streams with 15 KB of metadata", memoryBound: 64)) {
                attacker in
                try attacker.once { connection in
                    connection.send(preface())
                    for stream in streams(1000) {
                        connection.send(
                            headers(on: stream, block) + frame(.data, Flag.endStream, on: stream, text("x")))
                        attacker.counts(1)
                    }
                    attacker.rest(connection)
                }
            }
            #expect(result.closed == 0)
        }
    }
}
