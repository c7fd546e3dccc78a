import Testing

extension Hostile {
    /// Frames that cost their sender next to nothing.
    @Suite("Floods of frames")
    struct Floods {
        /// Floods connection after connection with the same frames, and expects that the server ends each.
        private func isCutOff(
            _ name: String, settings: [(Setting, UInt32)] = [], opening: [UInt8] = [], by bytes: [UInt8],
            counting count: Int, reads: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let result = try await withstand(Attack(name: name), sourceLocation: sourceLocation) { attacker in
                try attacker.repeatedly { connection in
                    connection.send(preface(settings) + opening)
                    attacker.flood(connection, bytes, counting: count, reads: reads)
                }
            }
            #expect(result.closed > 0, "the server ends the connection", sourceLocation: sourceLocation)
            // All but the last of each thread, whose time was over.
            #expect(result.closed >= result.connections - 1, sourceLocation: sourceLocation)
        }

        private let ping = frame(.ping, 0, on: 0, [1, 2, 3, 4, 5, 6, 7, 8])

        @Test("PING, with the answers read, and unread")
        func pings() async throws {
            try await isCutOff("PING flood", by: repeated(ping, 1000), counting: 1000)
            try await isCutOff("PING flood, answers unread", by: repeated(ping, 1000), counting: 1000, reads: false)
        }

        @Test("acknowledgements of pings that nobody sent")
        func pingAcknowledgements() async throws {
            let answer = frame(.ping, Flag.acknowledgement, on: 0, [1, 2, 3, 4, 5, 6, 7, 8])
            try await isCutOff("PING ACK flood", by: repeated(answer, 1000), counting: 1000)
        }

        @Test("SETTINGS, with the acknowledgements read, and unread")
        func settingsFrames() async throws {
            try await isCutOff("SETTINGS flood", by: repeated(settings([]), 1000), counting: 1000)
            try await isCutOff(
                "SETTINGS flood, answers unread", by: repeated(settings([]), 1000), counting: 1000, reads: false)
        }

        @Test("SETTINGS with as many entries as fit")
        func manySettings() async throws {
            let large = settings((0..<2700).map { (Setting.maxFrameSize, 16_384 + $0) })
            try await isCutOff("SETTINGS of 2,700 entries", by: repeated(large, 4), counting: 4)
            let allowed = settings((0..<32).map { (Setting.headerTableSize, $0 % 2 == 0 ? 0 : 65_536) })
            try await isCutOff("SETTINGS_HEADER_TABLE_SIZE thrash", by: repeated(allowed, 100), counting: 100)
        }

        @Test("windows opened and closed by SETTINGS while a thousand streams wait")
        func windowThrash() async throws {
            let thrash = settings((0..<32).map { (Setting.initialWindowSize, $0 % 2 == 0 ? 0 : 1) })
            let opening = streams(1000).flatMap { call("Large", on: $0, text("1000")) }
            try await isCutOff(
                "SETTINGS_INITIAL_WINDOW_SIZE thrash, 1,000 streams", settings: [(.initialWindowSize, 0)],
                opening: opening,
                by: repeated(thrash, 100), counting: 100)
        }

        @Test("window updates of one byte, of the connection and of a stream that waits")
        func windowUpdates() async throws {
            try await isCutOff("WINDOW_UPDATE flood", by: repeated(windowUpdate(on: 0, 1), 4000), counting: 4000)
            try await isCutOff(
                "WINDOW_UPDATE flood on a stream", opening: call("Hold", on: 1, text("x")),
                by: repeated(windowUpdate(on: 1, 1), 4000), counting: 4000)
        }

        @Test("window updates and DATA for streams that are over")
        func closedStreams() async throws {
            let opening = call("Echo", on: 1, text("x"))
            try await isCutOff(
                "WINDOW_UPDATE flood on a closed stream", opening: opening,
                by: repeated(windowUpdate(on: 1, 1), 4000), counting: 4000)
            try await isCutOff(
                "RST_STREAM flood on a closed stream", opening: opening, by: repeated(reset(1), 4000), counting: 4000)
        }

        @Test("PRIORITY")
        func priorities() async throws {
            let priority = frame(.priority, 0, on: 3, bytes(0) + [15])
            try await isCutOff("PRIORITY flood", by: repeated(priority, 1000), counting: 1000)
        }

        @Test("DATA without data, with and without padding")
        func emptyData() async throws {
            let opening = headers(on: 1, HeaderBlock.request("Echo"))
            try await isCutOff(
                "empty DATA flood", opening: opening, by: repeated(frame(.data, 0, on: 1), 4000), counting: 4000)
            let padded = frame(.data, Flag.padded, on: 1, [3, 0, 0, 0])
            try await isCutOff("padded empty DATA flood", opening: opening, by: repeated(padded, 4000), counting: 4000)
        }

        @Test("frames of types that nobody knows")
        func unknownTypes() async throws {
            try await isCutOff("unknown frames", by: repeated(frame(type: 0x77), 4000), counting: 4000)
            let large = frame(type: 0x77, on: 1, Array(repeating: 0xAA, count: 16_384))
            try await isCutOff("unknown frames of 16 KiB", by: repeated(large, 8), counting: 8)
        }

        @Test("GOAWAY again and again")
        func goAways() async throws {
            let goAway = frame(.goAway, 0, on: 0, bytes(0) + bytes(0) + Array(repeating: 0x41, count: 1000))
            try await isCutOff("GOAWAY flood with data", by: repeated(goAway, 100), counting: 100)
        }
    }
}
