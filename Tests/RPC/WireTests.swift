import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("What goes over the wire")
struct WireTests {
    private func bytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Array(text.utf8).withUnsafeBytes(body)
    }

    @Test(
        "a message is percent-encoded and comes back",
        arguments: ["plain", "100 %", "å\nb", "", "%41", "\u{1F600}", " ", "  a  b  "])
    func encodesMessages(text: String) {
        let encoded = PercentEncoding.encode(text)
        #expect(encoded.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        // RFC 9113, 8.2.1: a header's value neither begins nor ends with a space.
        #expect(encoded.utf8.first != UInt8(ascii: " ") && encoded.utf8.last != UInt8(ascii: " "))
        #expect(bytes(encoded, PercentEncoding.decode) == text)
    }

    @Test("a message that was encoded wrongly is still shown")
    func decodesBrokenMessages() {
        #expect(bytes("50% off%", PercentEncoding.decode) == "50% off%")
        #expect(bytes("%zz%4", PercentEncoding.decode) == "%zz%4")
        #expect(bytes("%c3%A5", PercentEncoding.decode) == "å")
        #expect(bytes("%FF", PercentEncoding.decode) == "\u{FFFD}")
    }

    @Test("bytes go through base64 of every length, with padding or without")
    func encodesBytes() {
        for length in 0..<40 {
            let value = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 97 + 13) }
            let encoded = Base64.unpadded(value)
            #expect(!encoded.contains("="))
            #expect(Base64.decode(encoded.utf8) == value)
            let padding = String(repeating: "=", count: (4 - encoded.count % 4) % 4)
            #expect(Base64.decode((encoded + padding).utf8) == value)
        }
        #expect(Base64.unpadded(Array("Man".utf8)) == "TWFu")
        for broken in ["A", "AAAAA", "A*==", "====", "AA=A"] { #expect(Base64.decode(broken.utf8) == nil) }
    }

    @Test("timeouts are written in at most eight digits and never too short")
    func writesTimeouts() throws {
        let durations: [Duration] = [
            .zero, .nanoseconds(1), .microseconds(1), .milliseconds(1500), .seconds(98), .seconds(100),
            .seconds(99_998),
            .seconds(100_001), .seconds(99_999_999), .seconds(100_000_000), .seconds(400_000_000_000), .seconds(-5),
        ]
        for duration in durations {
            let text = Timeout.format(duration)
            #expect(text.utf8.count <= 9)
            let read = try #require(bytes(text, Timeout.parse))
            #expect(read >= duration || text == "99999999M")
        }
        #expect(bytes("5H", Timeout.parse) == .seconds(18000))
        #expect(bytes("2M", Timeout.parse) == .seconds(120))
        #expect(bytes("7n", Timeout.parse) == .nanoseconds(7))
    }

    @Test("messages come out whole however the frames cut them")
    func deframes() throws {
        let stream = framed("first") + framed("") + framed(String(repeating: "x", count: 300))
        for size in [1, 2, 3, 5, 6, 7, 50, stream.count] {
            var deframer = MessageDeframer(limit: 1000, noun: "request")
            var found: [Text] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                let part = Array(stream[start..<min(start + size, stream.count)])
                try part.withUnsafeBytes { part in
                    try deframer.append(part) { message throws(RPCError) in
                        if let text = try? Text(serialized: message.bytes) { found.append(text) }
                    }
                }
            }
            #expect(found.map(\.service.count) == [5, 0, 300])
            #expect(deframer.partialCount == 0)
        }
    }

    @Test("the memory of a message goes by what has come of it, and grows in few steps", arguments: [5, 100, 16_384])
    func growsByWhatComes(size: Int) throws {
        let length = 256 * 1024
        let stream = framed(String(repeating: "x", count: length))
        var deframer = MessageDeframer(limit: 2 * length, noun: "request")
        var capacities: Set<Int> = []
        var mostPerByte = 0.0
        for start in stride(from: 0, to: stream.count, by: size) {
            try stream[start..<min(start + size, stream.count)].withUnsafeBytes { part in
                try deframer.append(part) { message throws(RPCError) in
                    #expect(message.bytes.readableBytes > length)
                }
            }
            capacities.insert(deframer.capacity)
            // A page is the least there is.
            if deframer.capacity > 4096 {
                mostPerByte = max(mostPerByte, Double(deframer.capacity) / Double(deframer.partialCount))
            }
        }
        #expect(mostPerByte > 0 && mostPerByte <= 2)
        #expect(capacities.count <= 10)
        #expect(deframer.partialCount == 0)
    }

    @Test("a message that is only announced takes no memory")
    func waitsForBytes() throws {
        var deframer = MessageDeframer(limit: 1024 * 1024, noun: "request")
        let prefix: [UInt8] = [0, 0, 15, 0, 0]
        try prefix.withUnsafeBytes { try deframer.append($0) { _ throws(RPCError) in } }
        #expect(deframer.partialCount == 5)
        #expect(deframer.capacity == 0)
    }

    @Test("details that can't be read leave the code and the message")
    func toleratesBrokenDetails() {
        let error = RPCError(status: 5, message: "gone", details: [0xFF, 0xFF])
        #expect(error == RPCError(.notFound, "gone"))
        #expect(RPCError(status: 99, message: "new", details: nil).code == .unknown)
    }

    @Test("a field violation says field and reason")
    func saysFields() {
        let error = RPCError.invalid("name", "is empty")
        #expect(error.message == "name: is empty")
        #expect(error.reason == "INVALID_FIELD")
        #expect(error.fields == [.init(field: "name", reason: "is empty")])
    }

    @Test("metadata finds names in any case, replaces, removes, and lets nothing through that breaks a header")
    func keepsMetadata() {
        var metadata: Metadata = ["A": "1", "b": "2"]
        metadata.add("a", "3")
        #expect(metadata[first: "A"] == "1")
        #expect(metadata.values("a") == ["1", "3"])
        metadata.replace("a", "4")
        #expect(metadata.values("a") == ["4"])
        metadata.remove("a")
        #expect(metadata[first: "a"] == nil)
        #expect(metadata[first: "b"] == "2")
        metadata.add("c", "x\r\ny: z")
        #expect(metadata[first: "c"] == "x??y: z")
        metadata.addBinary("d", [1])
        #expect(metadata[firstBinary: "d-bin"] == [1])
        #expect(Metadata().isEmpty)
    }

    @Test("paths are found among many, and others are not")
    func findsMethods() {
        let handlers = (0..<100).map { number in
            MethodHandler.unary(.test("Method\(number)")) { (request: Text, _) in request }
        }
        let table = MethodTable(handlers)
        for number in 0..<100 {
            let found = bytes("/test.Service/Method\(number)") { table[$0]?.handler.method.method }
            #expect(found == "Method\(number)")
        }
        for path in ["", "/", "/test.Service/Method", "/test.Service/Method100", "test.Service/Method1"] {
            #expect(bytes(path) { table[$0] == nil })
        }
    }
}

@Suite("Bounds in time")
struct PaceTests {
    @Test("a flood guard lets a burst through, and then its rate")
    func boundsRates() {
        let start = ContinuousClock.now
        var guarded = FloodGuard(perSecond: 10, now: start)
        expectEqual((0..<100).count { _ in guarded.admits(at: start) }, 100)
        expectEqual(guarded.admits(at: start), false)
        expectEqual(guarded.admits(at: start.advanced(by: .milliseconds(50))), false)
        expectEqual(guarded.admits(at: start.advanced(by: .milliseconds(151))), true)
        expectEqual(guarded.admits(at: start.advanced(by: .milliseconds(152))), false)
        let later = start.advanced(by: .seconds(3600))
        expectEqual((0..<100).count { _ in guarded.admits(at: later) }, 100)
        expectEqual(guarded.admits(at: later), false)
    }

    @Test("reconnecting is tried at once, then after longer and longer, up to a bound")
    func backsOff() throws {
        let start = ContinuousClock.now
        var backoff = ReconnectBackoff()
        #expect(backoff.wait(at: start) == nil)
        backoff.failed(at: start, chance: 0.5)
        #expect(backoff.wait(at: start) == nil)
        var last = Duration.zero
        for _ in 0..<5 {
            backoff.failed(at: start, chance: 0.5)
            let wait = try #require(backoff.wait(at: start))
            #expect(wait > last)
            last = wait
        }
        for _ in 0..<50 { backoff.failed(at: start, chance: 0.999) }
        let longest = try #require(backoff.wait(at: start))
        #expect(longest <= ReconnectBackoff.longest * 1.2)
        backoff.succeeded()
        #expect(backoff.wait(at: start) == nil)
    }
}
