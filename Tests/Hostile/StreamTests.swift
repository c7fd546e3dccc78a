import Testing

extension Hostile {
    /// Calls of many messages that never come to an end.
    @Suite("Streams without end")
    struct Streams {
        @Test("a thousand calls that send a message now and then and never finish")
        func unfinished() async throws {
            let result = try await withstand(Attack(name: "1,000 client streams without end", memoryBound: 32)) {
                attacker in
                try attacker.once { connection in
                    attacker.open(connection)
                    let all = streams(1000)
                    connection.send(all.flatMap { headers(on: $0, HeaderBlock.request("Gather")) })
                    let round = all.flatMap { frame(.data, 0, on: $0, text("x")) }
                    attacker.flood(connection, round, counting: 1000)
                }
            }
            #expect(result.closed == 0)
        }

        @Test("messages for a handler that takes none, on as many streams as there may be")
        func unread() async throws {
            let part = frame(.data, 0, on: 0, framed(Array(repeating: 0x41, count: 16_000)))
            let result = try await withstand(Attack(name: "1,000 client streams nobody reads", memoryBound: 48)) {
                attacker in
                try attacker.once { connection in
                    attacker.open(connection)
                    for stream in streams(1000) where !attacker.isOver {
                        connection.send(headers(on: stream, HeaderBlock.request("Ignore")))
                        for _ in 0..<14 { connection.send(Array(part[..<5]) + bytes(stream) + part[9...]) }
                        attacker.counts(1)
                        connection.drain()
                    }
                }
            }
            #expect(result.headers > 0, "those that find no room are refused")
        }

        @Test("empty and tiny messages for a handler that takes none")
        func tinyUnread() async throws {
            for (name, message) in [("empty", framed([])), ("one-byte", framed([0x41]))] {
                // A window holds 256 KiB of them.
                let part = repeated(message, 16_000 / message.count)
                let result = try await withstand(
                    Attack(name: "16 MiB of \(name) messages nobody reads", memoryBound: 64)
                ) { attacker in
                    try attacker.once { connection in
                        attacker.open(connection)
                        for stream in streams(1000) where !attacker.isOver {
                            connection.send(headers(on: stream, HeaderBlock.request("Ignore")))
                            for _ in 0..<14 { connection.send(frame(.data, 0, on: stream, part)) }
                            attacker.counts(1)
                            connection.drain()
                        }
                    }
                }
                #expect(result.connections == 1)
            }
        }

        @Test("echoes that nobody takes")
        func unreadEchoes() async throws {
            let part = frame(.data, 0, on: 0, framed(Array(repeating: 0x41, count: 10_000)))
            let result = try await withstand(Attack(name: "500 echoing streams, window 0", memoryBound: 96)) {
                attacker in
                try attacker.once { connection in
                    attacker.open(connection, [(.initialWindowSize, 0)])
                    for stream in streams(500) where !attacker.isOver {
                        connection.send(headers(on: stream, HeaderBlock.request("Talk")))
                        for _ in 0..<14 { connection.send(Array(part[..<5]) + bytes(stream) + part[9...]) }
                        attacker.counts(1)
                        connection.drain()
                    }
                    attacker.rest(connection)
                }
            }
            #expect(result.data == 0)
        }
    }
}
