import Testing

extension Hostile {
    /// Streams that are opened and end at once, so that no limit on streams holds them, while their work goes on.
    @Suite("Resets")
    struct Resets {
        /// Opens streams of a method whose handler waits, has each ended at once by what `ending` sends, and expects that
        /// the server ends the connection, and that no handler is left over.
        private func isCutOff(
            _ name: String, endOfRequest: Bool = true, extra: [UInt8] = [],
            sourceLocation: SourceLocation = #_sourceLocation, _ ending: (UInt32) -> [UInt8]
        ) async throws {
            let block = HeaderBlock.request("Hold", extra: extra)
            let rounds = Rounds { stream in
                headers(on: stream, block)
                    + frame(.data, endOfRequest ? Flag.endStream : 0, on: stream, text("x")) + ending(stream)
            }
            let result = try await withstand(
                Attack(name: name), sourceLocation: sourceLocation, flood: rounds)
            #expect(result.closed > 0, "the server ends the connection", sourceLocation: sourceLocation)
            #expect(result.closed >= result.connections - 1, sourceLocation: sourceLocation)
        }

        @Test("by the caller: rapid reset (CVE-2023-44487)")
        func rapidReset() async throws {
            try await isCutOff("rapid reset") { reset($0) }
        }

        @Test("by the caller, with code NO_ERROR and before the request is whole")
        func rapidResetEarly() async throws {
            try await isCutOff("rapid reset of half requests", endOfRequest: false) { reset($0, 0) }
        }

        @Test("by the server, made to by window updates of zero (MadeYouReset, CVE-2025-8671)")
        func zeroWindowUpdates() async throws {
            try await isCutOff("MadeYouReset: WINDOW_UPDATE of 0") { windowUpdate(on: $0, 0) }
        }

        @Test("by the server, made to by window updates that overflow")
        func windowOverflows() async throws {
            try await isCutOff("MadeYouReset: WINDOW_UPDATE overflow") { windowUpdate(on: $0, 0x7FFF_FFFF) }
        }

        @Test("by the server, made to by DATA after the end of the request")
        func dataAfterEnd() async throws {
            try await isCutOff("MadeYouReset: DATA after END_STREAM") { frame(.data, 0, on: $0, [0]) }
        }

        @Test("by the server, made to by HEADERS after the end of the request")
        func headersAfterEnd() async throws {
            try await isCutOff("MadeYouReset: HEADERS after END_STREAM") {
                headers(on: $0, HeaderBlock.literal("x", "y"), end: true)
            }
        }

        @Test("by the server, made to by a PRIORITY frame of the wrong length")
        func priorityLength() async throws {
            try await isCutOff("MadeYouReset: PRIORITY of 4 bytes") { frame(.priority, 0, on: $0, [0, 0, 0, 0]) }
        }

        @Test("by the server, made to by a content-length that isn't kept")
        func contentLength() async throws {
            let length = HeaderBlock.literal("content-length", "3")
            try await isCutOff("MadeYouReset: content-length mismatch", extra: length) { _ in [] }
        }

        @Test("by the server, made to by a second header block in the middle")
        func headersInTheMiddle() async throws {
            try await isCutOff("MadeYouReset: HEADERS amid the body", endOfRequest: false) {
                headers(on: $0, HeaderBlock.literal("x", "y"))
            }
        }

        @Test("by the server, made to by trailers that HTTP/2 forbids")
        func forbiddenTrailers() async throws {
            try await isCutOff("MadeYouReset: a path in trailers", endOfRequest: false) {
                headers(on: $0, HeaderBlock.literal(":path", "/x"), end: true)
            }
        }

        @Test("by the server, made to by headers that HTTP/2 forbids")
        func forbiddenHeaders() async throws {
            let upper = HeaderBlock.literal("X-Upper", "y")
            let result = try await withstand(
                Attack(name: "MadeYouReset: forbidden headers"),
                flood: Rounds { call("Hold", on: $0, text("x"), extra: upper) })
            #expect(result.closed > 0)
        }

        @Test("connections that ask for as many calls as they may and go")
        func abandonedCalls() async throws {
            let calls = streams(1000).flatMap { call("Hold", on: $0, text("x")) }
            let result = try await withstand(
                Attack(name: "1,000 calls and away", memoryBound: 32)
            ) { attacker in
                for _ in 0..<30 where !attacker.isOver {
                    try attacker.once { connection in
                        connection.send(preface() + calls)
                        attacker.counts(1000)
                    }
                }
                attacker.rest()
            }
            #expect(result.connections > 3)
        }
    }
}
