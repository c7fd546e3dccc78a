import Testing

extension Hostile {
    /// Requests that are frames in good order, and nonsense.
    @Suite("Requests")
    struct Requests {
        private static func field(_ name: String, _ value: String) -> [UInt8] { HeaderBlock.literal(name, value) }

        private static let good = HeaderBlock.request("Echo")

        private static func block(_ path: String, method: String = "POST", authority: String = "x") -> [UInt8] {
            let pairs = [
                (":method", method), (":scheme", "http"), (":path", path), (":authority", authority),
                ("content-type", "application/grpc"),
            ]
            return pairs.flatMap { field($0, $1) }
        }

        /// Header blocks that no server answers with OK.
        static let nonsense: [(name: String, block: [UInt8])] = [
            ("an empty path", block("")), ("a path of 10 KB", block(String(repeating: "/a", count: 5000))),
            ("a path without a slash", block("hostile.Victim/Echo")),
            ("a path that climbs", block("/../../etc/passwd")),
            ("a path with a NUL", block("/hostile.Victim/Echo\0")), ("a path with a line end", block("/a\r\nb: c")),
            ("a method nobody knows", block("/hostile.Victim/Echo", method: "BREW")),
            ("an empty method", block("/hostile.Victim/Echo", method: "")),
            ("CONNECT", block("/hostile.Victim/Echo", method: "CONNECT")),
            ("an authority with a line end", block("/a", authority: "x\r\ny")),
            ("two paths", good + field(":path", "/hostile.Victim/Held")),
            ("two methods", field(":method", "GET") + good), ("two authorities", field(":authority", "y") + good),
            ("a pseudo-header after the others", good + field(":scheme", "https")),
            ("a pseudo-header nobody knows", field(":x", "y") + good), ("a status", field(":status", "200") + good),
            ("no path", [0x83, 0x86] + field("content-type", "application/grpc")),
            ("nothing but a field", field("a", "b")),
            ("an upper-case name", good + field("X-Upper", "y")), ("an empty name", good + field("", "y")),
            ("a name with a space", good + field("a b", "y")), ("a name with a colon", good + field("a:b", "y")),
            ("a value with a NUL", good + field("x-a", "b\0c")),
            ("a value with a line end", good + field("x-a", "b\r\nc: d")),
            ("connection", good + field("connection", "close")), ("te: gzip", good + field("te", "gzip")),
            ("transfer-encoding", good + field("transfer-encoding", "chunked")),
            ("two content-lengths", good + field("content-length", "8") + field("content-length", "9")),
            ("a content-length that is none", good + field("content-length", "-1")),
            ("a timeout that is none", good + field("grpc-timeout", "soon")),
            ("a timeout without end", good + field("grpc-timeout", "999999999999H")),
            ("an encoding nobody knows", good + field("grpc-encoding", "rot13")),
            ("JSON", good + field("content-type", "application/json")),
        ]

        @Test("nonsense in headers is refused, request by request")
        func nonsenseHeaders() async throws {
            let rounds = Rounds(of: Self.nonsense.count) { stream in
                headers(on: stream, Self.nonsense[Int(stream / 2)].block)
                    + frame(.data, Flag.endStream, on: stream, text("x"))
            }
            let result = try await withstand(Attack(name: "33 kinds of nonsense in headers"), flood: rounds)
            // A caller with so much of it is taken for an attacker in the end.
            #expect(result.closed > 0)
            #expect(result.headers + result.resets.values.reduce(0, +) > 0)
            let folder = try await VictimFolder()
            var accepted: [String] = []
            for request in Self.nonsense {
                let connection = try RawConnection(folder.victim.path)
                connection.send(
                    preface() + headers(on: 1, request.block) + frame(.data, Flag.endStream, on: 1, text("x")))
                connection.read { $0.count(.headers) + $0.count(.resetStream) > 0 || $0.goAway != nil }
                // An answer with a message is no refusal.
                if connection.received.count(.data) > 0 { accepted.append(request.name) }
            }
            try await folder.remove()
            #expect(accepted == [])
        }

        @Test("binary metadata and bytes that are no UTF-8 are carried or refused")
        func binaryGarbage() async throws {
            let garbage =
                HeaderBlock.literal(Array("x-a".utf8), [0xFF, 0xFE, 0xC3, 0x28])
                + HeaderBlock.literal("x-b-bin", "not!base64?")
                + HeaderBlock.literal(Array("x-c-bin".utf8), [0x80, 0x81])
            let result = try await withstand(
                Attack(name: "metadata that is no text"),
                flood: Rounds { call("Echo", on: $0, text("x"), extra: garbage) })
            #expect(result.headers > 0)
        }

        @Test("deadlines of a nanosecond")
        func tinyDeadlines() async throws {
            let timeout = HeaderBlock.literal("grpc-timeout", "1n")
            let result = try await withstand(
                Attack(name: "deadlines of 1 ns"),
                flood: Rounds { call("Hold", on: $0, text("x"), extra: timeout) })
            #expect(result.headers > 0)
        }

        @Test("a thousand calls with deadlines of hours that are let go of")
        func longDeadlines() async throws {
            let timeout = HeaderBlock.literal("grpc-timeout", "99999999H")
            let calls = streams(1000).flatMap { call("Hold", on: $0, text("x"), extra: timeout) }
            let result = try await withstand(Attack(name: "1,000 calls with endless deadlines")) {
                attacker in
                try attacker.once { connection in
                    connection.send(preface() + calls)
                    attacker.counts(1000)
                    attacker.rest(connection)
                }
            }
            #expect(result.closed == 0)
        }

        @Test("more calls at once than allowed")
        func tooManyStreams() async throws {
            let result = try await withstand(
                Attack(name: "streams beyond the limit"),
                flood: Rounds { call("Hold", on: $0, text("x")) })
            #expect(result.closed > 0)
            #expect(result.goAways == [1])
            // Until its settings are acknowledged, the server refuses streams one by one.
            let rounds = Rounds { call("Hold", on: $0, text("x")) }
            let second = try await withstand(
                Attack(name: "streams beyond a limit not acknowledged")
            ) { attacker in
                try attacker.repeatedly { connection in
                    connection.send(preface())
                    attacker.flood(connection, rounds)
                }
            }
            #expect(second.closed > 0)
            #expect((second.resets[7] ?? 0) > 0)
        }

        @Test("calls as fast as can be, which is no fault")
        func busyCaller() async throws {
            let rounds = Rounds { call("Echo", on: $0, text("x")) }
            let result = try await withstand(Attack(name: "a busy caller, for comparison")) { attacker in
                try attacker.once { connection in
                    attacker.open(connection)
                    var rounds = rounds
                    var answered = 0
                    while !attacker.isOver {
                        connection.send(rounds.next())
                        attacker.counts(rounds.count)
                        answered += rounds.count
                        connection.read { $0.count(.data) >= answered }
                    }
                }
            }
            #expect(result.closed == 0)
            #expect(result.headers > 100)
        }
    }
}
