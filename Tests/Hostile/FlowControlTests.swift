import Testing

extension Hostile {
    /// Callers who ask for much and take little.
    @Suite("Windows")
    struct Windows {
        @Test("a thousand large answers that nobody lets in")
        func unreadAnswers() async throws {
            let calls = streams(1000).map { call("Large", on: $0, text("1000000")) }
            let result = try await withstand(
                Attack(name: "1,000 answers of 1 MB, window 0", memoryBound: 96)
            ) { attacker in
                try attacker.once { connection in
                    connection.send(preface([(.initialWindowSize, 0)]))
                    for call in calls {
                        connection.send(call)
                        attacker.counts(1)
                    }
                    attacker.rest(connection)
                }
            }
            #expect(result.data == 0)
        }

        @Test("large answers of calls that all ran already: as many as there is room for are kept")
        func unreadLateAnswers() async throws {
            let calls = streams(200).flatMap { call("LargeLater", on: $0, text("1000000")) }
            // The handlers go on all at once, on the loop that the other client may share: they take 0.6 s to make 200 MB
            // of answers when they aren't optimised.
            let result = try await withstand(
                Attack(name: "200 late answers of 1 MB, window 0", memoryBound: 176, delayFactor: 4)
            ) { attacker in
                try attacker.once { connection in
                    attacker.open(connection, [(.initialWindowSize, 0)])
                    connection.send(calls)
                    attacker.counts(200)
                    connection.read { $0.count(.headers) == 200 }
                }
            }
            // Headers, or headers that say RESOURCE_EXHAUSTED: every call is answered.
            #expect(result.headers == 200)
            #expect(result.data == 0)
        }

        @Test("a thousand streams of answers that nobody lets in")
        func unreadStreams() async throws {
            let calls = streams(1000).flatMap { call("Endless", on: $0, text("10000")) }
            let result = try await withstand(
                Attack(name: "1,000 endless streams, window 0", memoryBound: 160)
            ) { attacker in
                try attacker.once { connection in
                    connection.send(preface([(.initialWindowSize, 0)]) + calls)
                    attacker.counts(1000)
                    attacker.rest(connection)
                }
            }
            #expect(result.data == 0)
        }

        @Test("answers let in byte by byte")
        func drip() async throws {
            let calls = streams(100).flatMap { call("Large", on: $0, text("100000")) }
            let drops = streams(100).flatMap { windowUpdate(on: $0, 1) }
            let result = try await withstand(
                Attack(name: "100 answers of 100 KB, byte by byte", memoryBound: 32)
            ) { attacker in
                try attacker.repeatedly { connection in
                    connection.send(preface([(.initialWindowSize, 0)]) + calls)
                    attacker.flood(connection, drops, counting: 100)
                }
            }
            #expect(result.data > 0)
        }

        @Test("an endless stream whose window is open, on a socket that nobody reads")
        func unreadSockets() async throws {
            let result = try await withstand(
                Attack(name: "20 sockets with endless streams, unread", memoryBound: 96)
            ) { attacker in
                var connections: [RawConnection] = []
                for _ in 0..<20 {
                    let connection = try RawConnection(attacker.path)
                    connection.send(
                        preface([(.initialWindowSize, 0x7FFF_FFFF)]) + windowUpdate(on: 0, 0x7FFF_0000)
                            + call("Endless", on: 1, text("1000000")))
                    connections.append(connection)
                }
                attacker.rest()
                // They go unread.
            }
            #expect(result.connections == 0)
        }

        @Test("an answer that is finished and never read is let go")
        func forgottenAnswers() async throws {
            let result = try await withstand(
                Attack(
                    name: "answers never let in, unreadResponseTimeout 0.3 s",
                    settings: ["unreadResponseTimeout=300"], memoryBound: 32)
            ) { attacker in
                try attacker.once { connection in
                    connection.send(
                        preface([(.initialWindowSize, 0)])
                            + streams(100).flatMap { call("Large", on: $0, text("100000")) })
                    attacker.counts(100)
                    connection.read { $0.count(.resetStream) == 100 }
                }
            }
            #expect(result.resets == [8: 100])
        }
    }
}
