import Testing

extension Hostile {
    /// Connections that are made and not used, or used very slowly.
    @Suite("Connections")
    struct Connections {
        /// Opens that many connections, says `words` on each, and waits; the result counts those that were ended.
        private func hold(
            _ attack: Attack, _ count: Int, saying words: [UInt8], endsByServer: Bool = false,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> AttackResult {
            try await withstand(attack, sourceLocation: sourceLocation) { attacker in
                let connections = try (0..<count).map { _ in
                    let connection = try RawConnection(attacker.path)
                    connection.send(words)
                    return connection
                }
                attacker.rest()
                for connection in connections {
                    if endsByServer { connection.readToEnd() }
                    attacker.note(connection)
                }
            }
        }

        @Test("five hundred that say nothing are closed")
        func silent() async throws {
            let attack = Attack(name: "500 silent connections", settings: ["handshakeTimeout=200"], memoryBound: 32)
            let result = try await hold(attack, 500, saying: [], endsByServer: true)
            #expect(result.closed == 500)
        }

        @Test("five hundred that stop amid the preface are closed")
        func halfPrefaces() async throws {
            let attack = Attack(name: "500 half prefaces", settings: ["handshakeTimeout=200"], memoryBound: 32)
            let result = try await hold(attack, 500, saying: Array("PRI * HTTP/2.0\r\n".utf8), endsByServer: true)
            #expect(result.closed == 500)
        }

        @Test("a thousand that are open and idle cost little")
        func idle() async throws {
            let result = try await hold(
                Attack(name: "1,000 idle connections", memoryBound: 48), 1000, saying: preface())
            #expect(result.closed == 0)
        }

        @Test("those beyond the limit are closed at once")
        func beyondLimit() async throws {
            let attack = Attack(name: "1,000 connections, 100 allowed", settings: ["maxConnections=100"])
            let result = try await hold(attack, 1000, saying: preface())
            // The bystander has one.
            #expect(result.closed == 901)
        }

        @Test("made and closed without end")
        func churn() async throws {
            let result = try await withstand(Attack(name: "connect and close")) { attacker in
                try attacker.repeatedly { _ in }
            }
            #expect(result.connections > 100)
            let calls = preface() + call("Echo", on: 1, text("x"))
            let second = try await withstand(Attack(name: "connect, call and close")) { attacker in
                try attacker.repeatedly { $0.send(calls) }
            }
            #expect(second.connections > 100)
        }

        @Test("closed in one direction")
        func halfClosed() async throws {
            let words = preface() + call("Echo", on: 1, text("x"))
            let result = try await withstand(Attack(name: "shutdown(SHUT_WR) after a call")) { attacker in
                try attacker.repeatedly { connection in
                    connection.send(words)
                    connection.finishSending()
                    connection.readToEnd()
                }
            }
            #expect(result.closed == result.connections)
        }

        @Test("cut off amid a frame")
        func truncated() async throws {
            let whole = preface() + call("Echo", on: 1, text("a text"))
            let result = try await withstand(Attack(name: "truncated frames")) { attacker in
                var length = 0
                try attacker.repeatedly { connection in
                    connection.send(Array(whole.prefix(length % whole.count)))
                    length += 1
                    connection.finishSending()
                    connection.readToEnd()
                }
            }
            #expect(result.closed == result.connections)
        }

        @Test("on which every byte is sent by itself")
        func byteByByte() async throws {
            let words = call("Echo", on: 1, text("a text"))
            let result = try await withstand(Attack(name: "calls byte by byte")) { attacker in
                try attacker.repeatedly { connection in
                    for byte in preface() + words { connection.send([byte]) }
                    connection.read { $0.count(.headers) == 2 }
                }
            }
            // Slow, and right: headers and trailers for each, but for one that the end of the attack cuts off.
            #expect(result.headers >= (result.connections - 1) * 2)
        }

        @Test("with bodies that don't go on are answered DEADLINE_EXCEEDED and reset")
        func slowBodies() async throws {
            let block = HeaderBlock.request("Echo")
            let attack = Attack(name: "1,000 bodies that stop, requestTimeout 0.2 s", settings: ["requestTimeout=200"])
            let result = try await withstand(attack) { attacker in
                try attacker.once { connection in
                    connection.send(preface())
                    for stream in streams(1000) {
                        connection.send(headers(on: stream, block) + frame(.data, 0, on: stream, [0, 0, 0]))
                        attacker.counts(1)
                    }
                    connection.read { $0.count(.resetStream) == 1000 }
                }
            }
            #expect(result.headers == 1000)
            #expect(result.resets == [0: 1000])
        }

        @Test("with a header block that doesn't go on are closed")
        func slowHeaders() async throws {
            let block = HeaderBlock.request("Echo")
            let attack = Attack(
                name: "100 header blocks that stop, requestTimeout 0.2 s", settings: ["requestTimeout=200"])
            let result = try await hold(
                attack, 100, saying: preface() + frame(.headers, 0, on: 1, block), endsByServer: true)
            #expect(result.closed == 100)
        }
    }
}
