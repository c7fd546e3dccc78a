import Foundation
import IdentityCore
import Testing

@Suite("List positions and times")
struct ListPositionTests {
    @Test("a key carries its position there and back")
    func roundTrip() throws {
        for milliseconds: Int64 in [0, 1, 1_800_000_000_123, (1 << 48) - 1] {
            let position = ListPosition(createTime: Date(millisecondsSince1970: milliseconds), id: "org-0a9z")
            #expect(ListPosition(key: position.key) == position)
        }
    }

    @Test(
        "what no list has given is no position",
        arguments: [
            "", ".", "1", "1.", ".a", "x.a", "-1.a", "+1.a", "01.a", "1.a.b", "1.A", "1.å", "1.a\u{0}", "1.' OR 1=1",
            "7fffffffffffffff.a", "8000000000000000.a", "1000000000000.a", "1.\(String(repeating: "a", count: 65))",
            String(repeating: "f", count: 10_000),
        ])
    func malformed(_ key: String) {
        #expect(ListPosition(key: key) == nil)
    }

    @Test("every whole millisecond survives being stored and read")
    func milliseconds() {
        var generator = ScriptedGenerator(seed: 3)
        for _ in 0..<10_000 {
            let milliseconds = Int64.random(in: 0..<(1 << 43), using: &generator)
            #expect(Date(millisecondsSince1970: milliseconds).millisecondsSince1970 == milliseconds)
        }
    }

    @Test("a time is rounded once: rounding it again changes nothing")
    func rounding() {
        let time = Date(timeIntervalSince1970: 1_800_000_000.123_456)
        #expect(time.wholeMilliseconds.millisecondsSince1970 == 1_800_000_000_123)
        #expect(time.wholeMilliseconds.wholeMilliseconds == time.wholeMilliseconds)
    }
}
